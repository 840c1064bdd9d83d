"""DescribeTrainingJob and DescribeTransformJob: what a job's story looks like to a caller."""

from dataclasses import replace
from typing import Any

from sagestone.domain.describe.training_job import describe_training_job
from sagestone.domain.describe.transform_job import describe_transform_job
from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.failure import Failure
from sagestone.domain.metric import MetricPoint
from sagestone.domain.plan.algorithm import plan_validation
from sagestone.domain.plan.validation_plan import ValidationPlan
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob
from sagestone.domain.transition import advance, new_training_job, new_transform_job, place
from tests.unit.requests import DIGEST, JOB, TRANSFORM, changed
from tests.unit.served import DEPLOYMENT, check_answer

START = 1_700_000_000.0
ARTIFACT = "s3://data/models/trees-first-12345678/output/model.tar.gz"


def planned(*changes: tuple[str, Any]) -> ValidationPlan:
    plan = plan_validation(
        changed(*changes),
        deployment=DEPLOYMENT,
        training_image_digest=DIGEST,
        container_image_digests=(DIGEST,),
        suffix="12345678",
    )
    assert plan is not None
    return plan


def training(job: TrainingJob) -> dict[str, Any]:
    shown = describe_training_job(job)
    check_answer("sagemaker", "DescribeTrainingJob", shown)
    return shown


def transform(job: TransformJob) -> dict[str, Any]:
    shown = describe_transform_job(job)
    check_answer("sagemaker", "DescribeTransformJob", shown)
    return shown


def completed(plan: ValidationPlan) -> TrainingJob:
    job = place(new_training_job(plan.training, START), "sandbox", START + 0.5)
    told: tuple[tuple[float, dict[str, Any]], ...] = (
        (1.9, {"stage": "Downloading"}),
        (2.0, {"stage": "Training"}),
        (3.0, {"metrics": (MetricPoint(name="validation:accuracy", value=0.5, at=START + 3.6),)}),
        (4.0, {"stage": "Uploading"}),
        (5.1, {"outcome": Outcome(ending="Completed", exit_code=0, artifact_uri=ARTIFACT)}),
    )
    for seq, (after, what) in enumerate(told, start=1):
        job = advance(job, InstanceEvent(job=job.spec.key, instance=1, seq=seq, at=START + after, **what))
    assert isinstance(job, TrainingJob)
    return job


def test_a_new_training_job_shows_what_clients_rely_on() -> None:
    shown = training(new_training_job(planned().training, START))
    assert shown["OutputDataConfig"] == {
        "S3OutputPath": "s3://data/models/",
        "KmsKeyId": "",
        "CompressionType": "GZIP",
    }
    assert shown["ModelArtifacts"] == {"S3ModelArtifacts": ARTIFACT}
    assert shown["AlgorithmSpecification"]["AlgorithmName"].endswith(":algorithm/trees")
    assert shown["AlgorithmSpecification"]["MetricDefinitions"] == [
        {"Name": "validation:accuracy", "Regex": "accuracy: ([0-9.]+)"}
    ]
    assert shown["InputDataConfig"][0]["CompressionType"] == "None"
    assert shown["InputDataConfig"][0]["RecordWrapperType"] == "None"
    assert shown["HyperParameters"] == {"rate": "0.5"}
    assert shown["LastModifiedTime"] == START
    assert shown["ResourceConfig"]["VolumeSizeInGB"] == 1
    assert shown["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    assert all("StatusMessage" in each for each in shown["SecondaryStatusTransitions"])
    assert not {"TrainingStartTime", "TrainingEndTime", "TrainingTimeInSeconds", "FailureReason"} & set(shown)


def test_a_completed_training_job_has_its_times_and_metrics() -> None:
    shown = training(completed(planned()))
    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("Completed", "Completed")
    assert shown["TrainingStartTime"] == START + 1.9
    assert shown["TrainingEndTime"] == START + 5.1
    assert shown["TrainingTimeInSeconds"] == 4  # both ends cut to whole seconds first
    (metric,) = shown["FinalMetricDataList"]
    assert (metric["Value"], metric["Timestamp"]) == (0.5, START + 3)
    entries = shown["SecondaryStatusTransitions"]
    statuses = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [each["Status"] for each in entries] == statuses
    assert [each["EndTime"] for each in entries[:-1]] == [each["StartTime"] for each in entries[1:]]


def test_the_runtime_is_told_with_the_first_transition() -> None:
    entries = training(completed(planned()))["SecondaryStatusTransitions"]
    assert entries[0]["StatusMessage"] == "Preparing the instances for training (runtime: sandbox)"


def test_uncompressed_output_is_a_prefix() -> None:
    spec = replace(planned().training, output_compression="NONE")
    shown = training(new_training_job(spec, START))
    assert shown["ModelArtifacts"]["S3ModelArtifacts"] == "s3://data/models/trees-first-12345678/output/model"


def test_a_failed_training_job_says_why() -> None:
    failure = Failure(fault="algorithm", message="bad, exit code: 1")
    outcome = Outcome(ending="Failed", exit_code=1, failure=failure)
    event = InstanceEvent(job="training/x", instance=1, seq=1, at=START + 1, outcome=outcome)
    job = advance(new_training_job(planned().training, START), event)
    assert isinstance(job, TrainingJob)
    assert training(job)["FailureReason"] == "AlgorithmError: bad, exit code: 1"


def test_a_transform_job_echoes_its_definition() -> None:
    spec = planned((f"{TRANSFORM}.Environment", {"A": "1"})).transform
    assert spec is not None
    job = new_transform_job(spec, START)
    shown = transform(job)
    assert shown["ModelName"] == shown["TransformJobName"] == "trees-first-12345678"
    assert shown["TransformOutput"] == {
        "S3OutputPath": "s3://data/out",
        "AssembleWith": "Line",
        "Accept": "text/csv",
        "KmsKeyId": "",
    }
    assert shown["TransformInput"]["CompressionType"] == "None"
    assert shown["Environment"] == {"A": "1"}
    assert (shown["MaxPayloadInMB"], shown["BatchStrategy"]) == (6, "MultiRecord")
    failed = replace(job, status="Failed", failure_reason="x", started_at=START + 1, ended_at=START + 2)
    assert transform(failed)["TransformEndTime"] == START + 2


def test_a_training_job_keeps_what_the_algorithm_does_not_show() -> None:
    shown = training(new_training_job(planned((f"{JOB}.InputDataConfig.0.ShuffleConfig", {"Seed": 4})).training, START))
    assert shown["InputDataConfig"][0]["ShuffleConfig"] == {"Seed": 4}
