"""CreateTrainingJob and what is done with a job afterwards, over a real store and a real S3 store."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.event import Ending, InstanceEvent, Outcome
from sagestone.domain.failure import Failure
from sagestone.domain.transition import (
    begin_validation,
    complete_validation,
    fail_validation,
    new_training_job,
    place,
)
from sagestone.s3.client import write_all
from sagestone.s3.uri import S3Uri
from sagestone.wire.errors import ResourceInUse, ResourceNotFound, ValidationException
from tests.unit.job_requests import by_algorithm, by_image
from tests.unit.requests import DIGEST, full_request
from tests.unit.served import Served

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1"
TREES = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/trees"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    write_all(made.s3, S3Uri("data", "train/a.csv"), [b"1,2\n"])
    yield made
    made.store.close()


@pytest.fixture
def with_trees(served: Served) -> Served:
    """The algorithm `trees`, Completed."""
    served.call("CreateAlgorithm", full_request())
    served.store.change_algorithm("trees", lambda known: complete_validation(begin_validation(known)))
    return served


def refused(served: Served, request: dict[str, Any]) -> str:
    with pytest.raises(ValidationException) as caught:
        served.call("CreateTrainingJob", request)
    return caught.value.message


def test_a_job_of_an_image_is_kept_and_described(served: Served) -> None:
    hints = served.hints
    tags = [{"Key": "team", "Value": "a"}]
    assert served.call("CreateTrainingJob", by_image(("Tags", tags)))["TrainingJobArn"] == ARN
    assert served.hints == hints + 1
    shown = served.sagemaker("DescribeTrainingJob", TrainingJobName="Job-1")
    assert shown["TrainingJobStatus"] == "InProgress"
    assert shown["AlgorithmSpecification"] == {
        "TrainingImage": "trees:1", "TrainingInputMode": "File", "EnableSageMakerMetricsTimeSeries": False,
    }  # fmt: skip
    assert shown["EnableNetworkIsolation"] is False
    assert shown["OutputDataConfig"] == {
        "S3OutputPath": "s3://data/models/", "KmsKeyId": "", "CompressionType": "GZIP",
    }  # fmt: skip
    assert shown["ModelArtifacts"]["S3ModelArtifacts"] == "s3://data/models/Job-1/output/model.tar.gz"
    assert not {"FailureReason", "Environment", "VpcConfig", "WarmPoolStatus", "ProfilingStatus"} & set(shown)
    assert served.sagemaker("ListTags", ResourceArn=ARN)["Tags"] == tags
    job = served.store.training_job("Job-1")
    assert job is not None
    assert (job.spec.image.digest, job.spec.isolated, job.spec.algorithm_name) == (DIGEST, False, None)


@pytest.mark.parametrize("name", ["trees", TREES])
def test_a_job_of_an_algorithm_has_its_defaults_and_metrics(with_trees: Served, name: str) -> None:
    request = by_algorithm(("AlgorithmSpecification.AlgorithmName", name), ("EnableNetworkIsolation", True))
    with_trees.call("CreateTrainingJob", request)
    shown = with_trees.sagemaker("DescribeTrainingJob", TrainingJobName="Job-1")
    algorithm = shown["AlgorithmSpecification"]
    assert algorithm["AlgorithmName"] == name
    assert "TrainingImage" not in algorithm
    assert algorithm["MetricDefinitions"][0]["Name"] == "validation:accuracy"
    assert algorithm["EnableSageMakerMetricsTimeSeries"] is True
    assert shown["HyperParameters"] == {"rate": "0.5"}
    job = with_trees.store.training_job("Job-1")
    assert job is not None
    assert job.spec.hyperparameters == {"depth": "3", "rate": "0.5"}
    assert (job.spec.image.digest, job.spec.isolated, job.spec.algorithm_name) == (DIGEST, True, "trees")


def test_what_has_no_effect_is_shown_as_it_was_given(served: Served) -> None:
    given = {
        "DebugHookConfig": {"S3OutputPath": "s3://data/models/", "CollectionConfigurations": []},
        "ProfilerConfig": {"S3OutputPath": "s3://data/models/", "DisableProfiler": False},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "ExperimentConfig": {"ExperimentName": "e"},
        "RemoteDebugConfig": {"EnableRemoteDebug": False},
        "Environment": {"A": "1"},
    }
    request = by_image(*given.items(), ("ResourceConfig.KeepAlivePeriodInSeconds", 60))
    served.call("CreateTrainingJob", request)
    shown = served.sagemaker("DescribeTrainingJob", TrainingJobName="Job-1")
    assert {name: shown[name] for name in given} == given
    assert (shown["ProfilingStatus"], shown["WarmPoolStatus"]["Status"]) == ("Disabled", "InUse")


def test_a_name_is_taken_once_and_for_all_ways_to_write_it(served: Served) -> None:
    served.call("CreateTrainingJob", by_image())
    for name in ("Job-1", "job-1"):
        with pytest.raises(ResourceInUse, match=rf"^Training job names must be unique within .* exists \({ARN}\)$"):
            served.call("CreateTrainingJob", by_image(("TrainingJobName", name)))


def test_an_algorithm_must_be_there_and_completed(served: Served) -> None:
    assert refused(served, by_algorithm()) == f"Algorithm {TREES} does not exist."
    other = TREES.replace("us-east-1", "eu-west-1")
    text = refused(served, by_algorithm(("AlgorithmSpecification.AlgorithmName", other)))
    assert text == "ARN should be scoped to correct region: us-east-1"
    served.call("CreateAlgorithm", full_request())
    assert refused(served, by_algorithm()).startswith(f"Algorithm {TREES} is in Pending status; a training job needs")
    served.store.change_algorithm("trees", lambda known: fail_validation(begin_validation(known), "no labels"))
    assert refused(served, by_algorithm()).endswith("Completed status. Its validation failed: no labels")


def test_a_broken_rule_names_whose_specification_it_is(with_trees: Served) -> None:
    text = refused(with_trees, by_algorithm(("HyperParameters", {"rate": "2"})))
    assert text.startswith("1 validation error detected: Value '2' at 'hyperParameters.rate.member' failed")
    assert text.endswith(f"(The specification is that of {TREES}.)")


def test_images_and_data_must_be_there(served: Served) -> None:
    text = refused(served, by_image(("AlgorithmSpecification.TrainingImage", "other:1")))
    assert text.startswith("Requested image other:1 not found")
    source = "InputDataConfig.0.DataSource.S3DataSource"
    for uri in ("s3://data/none/", "s3://nobody/train/"):
        text = refused(served, by_image((f"{source}.S3Uri", uri)))
        assert text.startswith(f'No S3 objects found under S3 URL "{uri}" given in input data source.')
    changes = ((f"{source}.S3DataType", "ManifestFile"), (f"{source}.S3Uri", "s3://data/manifest"))
    assert "No S3 objects found" in refused(served, by_image(*changes))
    write_all(served.s3, S3Uri("data", "manifest"), [b"[]"])
    served.call("CreateTrainingJob", by_image(*changes))


def end(served: Served, name: str, ending: Ending) -> None:
    failure = Failure(fault="algorithm", message="no") if ending == "Failed" else None
    outcome = Outcome(ending=ending, exit_code=0, failure=failure)
    told = InstanceEvent(job=f"training/{name}", instance=1, seq=1, at=served.now + 5, outcome=outcome)
    served.store.apply_event(told)


@pytest.mark.parametrize("ending", ["Completed", "Failed", "Stopped", "MaxRuntimeExceeded"])
def test_a_job_that_has_ended_can_be_deleted(served: Served, ending: Ending) -> None:
    served.call("CreateTrainingJob", by_image())
    with pytest.raises(ResourceInUse, match="is in status InProgress; stop it first"):
        served.sagemaker("DeleteTrainingJob", TrainingJobName="Job-1")
    end(served, "Job-1", ending)
    hints = served.hints
    for _ in range(2):
        assert served.sagemaker("DeleteTrainingJob", TrainingJobName="Job-1") == {}
    assert served.hints > hints
    assert served.sagemaker("DescribeTrainingJob", TrainingJobName="Job-1")["TrainingJobStatus"] == "Deleting"
    assert served.sagemaker("ListTrainingJobs", StatusEquals="Deleting")["TrainingJobSummaries"] != []
    with pytest.raises(ValidationException, match="is in status Deleting"):
        served.sagemaker("StopTrainingJob", TrainingJobName="Job-1")
    with pytest.raises(ResourceInUse, match="names must be unique"):
        served.call("CreateTrainingJob", by_image())


def test_a_job_that_a_validation_needs_stays(served: Served) -> None:
    served.call("CreateAlgorithm", full_request())
    algorithm = served.store.change_algorithm("trees", begin_validation)
    assert algorithm.plan is not None
    name = algorithm.plan.training.name
    served.store.add_job(new_training_job(algorithm.plan.training, served.now), {})
    end(served, name, "Completed")
    with pytest.raises(ResourceInUse, match=f"part of the validation of {TREES}, which is in progress"):
        served.sagemaker("DeleteTrainingJob", TrainingJobName=name)
    served.store.change_algorithm("trees", complete_validation)
    served.sagemaker("DeleteTrainingJob", TrainingJobName=name)


def update(seconds: int) -> dict[str, Any]:
    return {"TrainingJobName": "Job-1", "ResourceConfig": {"KeepAlivePeriodInSeconds": seconds}}


def test_a_warm_pool_can_be_kept_longer_or_ended(served: Served) -> None:
    served.call("CreateTrainingJob", by_image(("ResourceConfig.KeepAlivePeriodInSeconds", 60)))
    with pytest.raises(ValidationException, match="The warm pool of training job Job-1 is InUse"):
        served.call("UpdateTrainingJob", update(120))
    served.store.change_job("training/Job-1", lambda job: place(job, "sandbox", served.now))
    end(served, "Job-1", "Completed")
    assert served.store.warm_pools() == ["Job-1"]
    assert served.store.unfinished_jobs() == ["training/Job-1"]
    with pytest.raises(ResourceInUse, match="The warm pool of training job Job-1 is Available; end it first"):
        served.sagemaker("DeleteTrainingJob", TrainingJobName="Job-1")
    hints = served.hints
    served.call("UpdateTrainingJob", update(3600))
    assert served.hints > hints
    shown = served.sagemaker("DescribeTrainingJob", TrainingJobName="Job-1")
    assert shown["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 3600
    assert shown["WarmPoolStatus"] == {"Status": "Available"}
    assert shown["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Resource retained for reuse"
    rows = served.sagemaker("ListTrainingJobs", WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    assert [(row["TrainingJobName"], row["WarmPoolStatus"]) for row in rows] == [("Job-1", {"Status": "Available"})]
    assert served.sagemaker("ListTrainingJobs", WarmPoolStatusEquals="Reused")["TrainingJobSummaries"] == []
    with pytest.raises(ValidationException, match="TrainingPlanArnEquals is not supported yet"):
        served.sagemaker(
            "ListTrainingJobs", TrainingPlanArnEquals=f"arn:aws:sagemaker:us-east-1:{'1' * 12}:training-plan/a"
        )


def test_an_update_is_refused_with_the_reason(served: Served) -> None:
    served.call("CreateTrainingJob", by_image())
    assert served.sagemaker("UpdateTrainingJob", TrainingJobName="Job-1") == {"TrainingJobArn": ARN}
    for name, value in (
        ("ProfilerConfig", {"DisableProfiler": True}),
        ("RemoteDebugConfig", {"EnableRemoteDebug": True}),
    ):
        with pytest.raises(ValidationException, match=f"^Training job Job-1 cannot be updated: {name}: "):
            served.call("UpdateTrainingJob", {"TrainingJobName": "Job-1", name: value})
    with pytest.raises(ValidationException, match="only while a warm pool is Available: Training job Job-1 has no"):
        served.call("UpdateTrainingJob", update(60))
    for operation in ("UpdateTrainingJob", "DeleteTrainingJob"):
        with pytest.raises(ResourceNotFound, match=r"^Requested resource not found.$"):
            served.sagemaker(operation, TrainingJobName="other")
