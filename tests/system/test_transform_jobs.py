"""Models and transform jobs of users, with an unmodified boto3 and real containers."""

import json
from datetime import UTC
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.system.service import RunningService, eventually
from tests.system.serving import archive, create_model, outputs, transform, wait
from tests.system.validation import BUCKET, ROLE, await_lines, job_of, specification, validate


def test_a_model_of_a_validated_algorithm_transforms(service: RunningService) -> None:
    sagemaker = service.client("sagemaker")
    assert validate(service, specification("grown", "tests/train:1"))["AlgorithmStatus"] == "Completed"
    artifact = job_of(service, "training", "grown")["ModelArtifacts"]["S3ModelArtifacts"]
    create_model(service, "grown-model", artifact)
    tags = [{"Key": "team", "Value": "forest"}]
    members = {"BatchStrategy": "MultiRecord", "MaxPayloadInMB": 1, "MaxConcurrentTransforms": 2, "Tags": tags}
    created = sagemaker.create_transform_job(**transform("grown-job", "grown-model", **members))
    job = wait(service, "grown-job")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert outputs(service, "grown-job") == {
        "first.csv.out": b"r1;ok\nr2;ok\nr3;ok\n",
        "second.csv.out": b"s1;ok\n",
    }
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    told = ("BatchStrategy", "MaxPayloadInMB", "MaxConcurrentTransforms", "ModelName")
    assert [job[name] for name in told] == ["MultiRecord", 1, 2, "grown-model"]
    assert sagemaker.list_tags(ResourceArn=created["TransformJobArn"])["Tags"] == tags
    await_lines(service, "grown-job", lambda line: "model: model.csv batch: true" in line)


def test_a_validation_leaves_the_model_that_it_served(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    request = specification("served", "tests/train:1", "tests/serve:1")
    assert validate(sandbox_service, request)["AlgorithmStatus"] == "Completed"
    name = job_of(sandbox_service, "transform", "served")["ModelName"]
    model = sagemaker.describe_model(ModelName=name)
    trained = job_of(sandbox_service, "training", "served")
    assert model["PrimaryContainer"]["ModelDataUrl"] == trained["ModelArtifacts"]["S3ModelArtifacts"]
    assert model["CreationTime"] >= trained["TrainingEndTime"]
    sagemaker.create_transform_job(**transform("served-again", name))
    assert wait(sandbox_service, "served-again")["TransformJobStatus"] == "Completed"
    sagemaker.delete_model(ModelName=name)
    assert sagemaker.describe_algorithm(AlgorithmName="served")["AlgorithmStatus"] == "Completed"


def test_answers_are_joined_with_their_records_and_captured(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    create_model(sandbox_service, "joining")
    members = {
        "DataProcessing": {"InputFilter": "$[0]", "JoinSource": "Input", "OutputFilter": "$[-1,0]"},
        "DataCaptureConfig": {"DestinationS3Uri": f"s3://{BUCKET}/captured"},
    }
    sagemaker.create_transform_job(**transform("joined-job", "joining", **members))
    job = wait(sandbox_service, "joined-job")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert {name: job[name] for name in members} == members
    assert outputs(sandbox_service, "joined-job") == {
        "first.csv.out": b"r1;ok,r1\nr2;ok,r2\nr3;ok,r3\n",
        "second.csv.out": b"s1;ok,s1\n",
    }
    ((name, manifest),) = outputs(sandbox_service, "captured/output").items()
    assert name == f"{job['CreationTime'].astimezone(UTC):%Y/%m/%d/%H}/joined-job-algo-1.json"
    assert json.loads(manifest) == [{"prefix": f"s3://{BUCKET}/joined-job/"}, "first.csv.out", "second.csv.out"]


def test_records_go_through_a_pipeline_of_three_containers(service: RunningService) -> None:
    sagemaker = service.client("sagemaker")
    containers = [{"Image": "tests/serve:1", "ContainerHostname": name} for name in ("scale", "score", "name")]
    sagemaker.create_model(ModelName="three", Containers=containers, ExecutionRoleArn=ROLE)
    sagemaker.create_transform_job(**transform("three-job", "three"))
    job = wait(service, "three-job")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert outputs(service, "three-job")["second.csv.out"] == b"s1;ok;ok;ok\n"
    streams = service.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix="three-job/"
    )["logStreams"]
    assert {each["logStreamName"].split("/")[-1] for each in streams} >= {"scale", "score", "name", "data-log"}


def test_a_model_may_be_deleted_while_a_job_runs_with_it(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    create_model(sandbox_service, "passing", archive(sandbox_service, "passing.tar.gz"))
    sagemaker.create_transform_job(**transform("passing-job", "passing", Environment={"MODE": "slow"}))
    sagemaker.delete_model(ModelName="passing")
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName="passing")
    assert wait(sandbox_service, "passing-job")["TransformJobStatus"] == "Completed"
    assert outputs(sandbox_service, "passing-job")["second.csv.out"] == b"s1\n"


def test_a_running_job_is_stopped(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    create_model(sandbox_service, "hanging", MODE="hangs")
    sagemaker.create_transform_job(**transform("stopped-job", "hanging"))
    eventually(
        lambda: "TransformStartTime" in sagemaker.describe_transform_job(TransformJobName="stopped-job"),
        "the job has its instance",
    )
    sagemaker.stop_transform_job(TransformJobName="stopped-job")
    job = wait(sandbox_service, "stopped-job")
    assert (job["TransformJobStatus"], "FailureReason" in job) == ("Stopped", False)
    assert outputs(sandbox_service, "stopped-job") == {}
    with pytest.raises(ClientError, match="is in status Stopped") as caught:
        sagemaker.stop_transform_job(TransformJobName="stopped-job")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_failed_job_says_why_and_fails_the_waiter(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    create_model(sandbox_service, "breaking", MODE="breaks")
    client = {"InvocationsMaxRetries": 0}
    sagemaker.create_transform_job(**transform("broken-job", "breaking", ModelClientConfig=client))
    with pytest.raises(WaiterError, match="Failed"):
        wait(sandbox_service, "broken-job")
    reason = sagemaker.describe_transform_job(TransformJobName="broken-job")["FailureReason"]
    assert reason.startswith("AlgorithmError: ")
    assert "500" in reason


def test_records_are_filtered_and_joined(sandbox_service: RunningService) -> None:
    sagemaker, s3 = sandbox_service.client("sagemaker"), sandbox_service.client("s3")
    s3.put_object(Bucket=BUCKET, Key="wide/rows.csv", Body=b"7,a,b\n8,c,d\n")
    create_model(sandbox_service, "filtering")
    request = transform("filtered-job", "filtering")
    request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/wide/"
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    sagemaker.create_transform_job(**request, DataProcessing=processing)
    job = wait(sandbox_service, "filtered-job")
    assert job["DataProcessing"] == processing
    assert outputs(sandbox_service, "filtered-job") == {"rows.csv.out": b"7,b;ok\n8,d;ok\n"}


def test_lists_filter_sort_and_page(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    for letter in "bca":
        create_model(sandbox_service, f"list-{letter}")
        sagemaker.create_transform_job(**transform(f"list-{letter}", f"list-{letter}"))
    for operation, member, name in (
        ("list_models", "Models", "ModelName"),
        ("list_transform_jobs", "TransformJobSummaries", "TransformJobName"),
    ):
        pages = sagemaker.get_paginator(operation).paginate(
            NameContains="list-", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
        )
        assert [[row[name] for row in page[member]] for page in pages] == [["list-a", "list-b"], ["list-c"]]
    newest = sagemaker.list_models(NameContains="list-", MaxResults=1)["Models"]
    assert newest[0]["ModelName"] == "list-a"
    for letter in "abc":
        wait(sandbox_service, f"list-{letter}")
    done = sagemaker.list_transform_jobs(NameContains="list-", StatusEquals="Completed")["TransformJobSummaries"]
    assert {row["TransformJobName"] for row in done} == {"list-a", "list-b", "list-c"}
    assert all(row["TransformEndTime"] >= row["CreationTime"] for row in done)


def test_what_is_refused_is_told_in_the_services_words(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    arn = create_model(sandbox_service, "taken")

    def error(call: Any, **parameters: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]

    container = {"Image": "tests/serve:1", "ModelDataUrl": f"s3://{BUCKET}/absent.tar.gz"}
    assert error(sagemaker.create_model, ModelName="taken", PrimaryContainer={"Image": "tests/serve:1"}) == (
        "ValidationException", f'Cannot create already existing model "{arn}".',
    )  # fmt: skip
    code, message = error(sagemaker.create_model, ModelName="absent", PrimaryContainer=container)
    assert (code, message.startswith("Could not access model data at s3://tests/absent.tar.gz.")) == (
        "ValidationException", True,
    )  # fmt: skip
    assert error(sagemaker.create_transform_job, **transform("x", "absent")) == (
        "ValidationException", f'Could not find model "{arn.replace("taken", "absent")}".',
    )  # fmt: skip
    sagemaker.create_transform_job(**transform("twice", "taken"))
    code, message = error(sagemaker.create_transform_job, **transform("Twice", "taken"))
    assert (code, message.startswith("Job name must be unique")) == ("ResourceInUse", True)
