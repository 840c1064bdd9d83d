"""Several accounts in one service: each has resources, logs and buckets of its own, and none reaches another's."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.system.accounts import OWN, asked, clients, refusal
from tests.system.service import RunningService, eventually
from tests.system.training import ENDED, train, training_request
from tests.system.validation import BUCKET, specification

OTHER = "210987654321"
Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def other(sandbox_service: RunningService) -> Clients:
    """Clients of another account, which has data of its own."""
    client = clients(sandbox_service, asked(sandbox_service, "account", "create", OTHER))
    client("s3").create_bucket(Bucket="others")
    client("s3").put_object(Bucket="others", Key="train/a.csv", Body=b"1,2\n")
    return client


def ended(client: Clients, name: str) -> dict[str, Any]:
    sagemaker = client("sagemaker")
    eventually(
        lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in ENDED, f"{name} ends"
    )
    found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    return found


def their_request(name: str, source: str = "others", output: str = "others", **changes: Any) -> dict[str, Any]:
    request = training_request(name, **changes)
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{source}/train/"
    request["OutputDataConfig"]["S3OutputPath"] = f"s3://{output}/models"
    request["RoleArn"] = f"arn:aws:iam::{OTHER}:role/theirs"
    return request


def test_buckets_belong_to_an_account(sandbox_service: RunningService, other: Clients) -> None:
    s3, theirs = sandbox_service.client("s3"), other("s3")
    assert [each["Name"] for each in theirs.list_buckets()["Buckets"]] == ["others"]
    assert "others" not in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    place = {"Bucket": BUCKET, "Key": "train/a.csv"}
    for call, parameters in (
        (theirs.get_object, place),
        (theirs.put_object, {**place, "Body": b"x"}),
        (theirs.delete_object, place),
        (theirs.list_objects_v2, {"Bucket": BUCKET}),
        (theirs.create_multipart_upload, place),
        (theirs.get_bucket_location, {"Bucket": BUCKET}),
        (theirs.delete_bucket, {"Bucket": BUCKET}),
        (theirs.delete_objects, {"Bucket": BUCKET, "Delete": {"Objects": [{"Key": "train/a.csv"}]}}),
        (theirs.copy_object, {"Bucket": "others", "Key": "stolen", "CopySource": place}),
        (s3.get_object, {"Bucket": "others", "Key": "train/a.csv"}),
    ):
        assert refusal(call, **parameters)[0] == "AccessDenied", call
    assert refusal(theirs.head_bucket, Bucket=BUCKET)[0] == "403"
    assert s3.get_object(**place)["Body"].read() == b"1,2\n3,4\n"
    assert refusal(theirs.create_bucket, Bucket=BUCKET)[0] == "BucketAlreadyExists"
    mine = {"Bucket": BUCKET, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    assert refusal(s3.create_bucket, **mine)[0] == "BucketAlreadyOwnedByYou"


def test_resources_and_logs_are_apart_even_under_one_name(sandbox_service: RunningService, other: Clients) -> None:
    sandbox_service.client("sagemaker").create_algorithm(**_unvalidated("shared-name"))
    created = other("sagemaker").create_algorithm(**_unvalidated("shared-name"))
    assert created["AlgorithmArn"] == f"arn:aws:sagemaker:us-east-1:{OTHER}:algorithm/shared-name"
    sandbox_service.client("sagemaker").delete_algorithm(AlgorithmName="shared-name")
    assert other("sagemaker").describe_algorithm(AlgorithmName="shared-name")["AlgorithmStatus"] == "Completed"
    train(sandbox_service, training_request("same-job"))
    other("sagemaker").create_training_job(**their_request("same-job"))
    shown = ended(other, "same-job")
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    assert shown["TrainingJobArn"] == f"arn:aws:sagemaker:us-east-1:{OTHER}:training-job/same-job"
    assert shown["ModelArtifacts"]["S3ModelArtifacts"].startswith("s3://others/models/same-job")
    names = [each["TrainingJobName"] for each in other("sagemaker").list_training_jobs()["TrainingJobSummaries"]]
    assert names == ["same-job"]
    streams = other("logs").describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
    assert [each["logStreamName"].partition("/")[0] for each in streams] == ["same-job"]
    assert f":{OTHER}:" in streams[0]["arn"]
    metrics = other("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs")["Metrics"]
    assert {pair["Value"].partition("/")[0] for each in metrics for pair in each["Dimensions"]} == {"same-job"}
    identity = other("sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (OTHER, f"arn:aws:iam::{OTHER}:user/sagestone")


def _unvalidated(name: str) -> dict[str, Any]:
    request = specification(name, "tests/train:1")
    del request["ValidationSpecification"]
    return request


@pytest.mark.parametrize("changes", [{"source": BUCKET}, {"output": BUCKET}])
def test_a_job_reaches_no_bucket_of_another_account(other: Clients, changes: dict[str, str]) -> None:
    name = f"thief-of-{next(iter(changes))}"
    other("sagemaker").create_training_job(**their_request(name, **changes))
    shown = ended(other, name)
    assert shown["TrainingJobStatus"] == "Failed"
    assert "Access Denied: the bucket belongs to another account" in shown["FailureReason"]


def test_a_container_gets_its_accounts_role(sandbox_service: RunningService, other: Clients) -> None:
    ask = "for i in 1 2 3; do wget -q -O - $AWS_CONTAINER_CREDENTIALS_FULL_URI && echo && break; sleep 1; done"
    specified = {
        "TrainingImage": "tests/train:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/sh", "-c", ask],
    }
    other("sagemaker").create_training_job(**their_request("their-role", AlgorithmSpecification=specified))
    assert ended(other, "their-role")["TrainingJobStatus"] == "Completed"
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = other("logs").describe_log_streams(logGroupName=group, logStreamNamePrefix="their-role/")["logStreams"]
    events = other("logs").get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    (document,) = [json.loads(each["message"]) for each in events if each["message"].startswith("{")]
    keys = {"access_key": document["AccessKeyId"], "secret_key": document["SecretAccessKey"]}
    as_role = clients(sandbox_service, keys, document["Token"])
    assert as_role("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/theirs/SageMaker"
    assert as_role("s3").get_object(Bucket="others", Key="train/a.csv")["Body"].read() == b"1,2\n"
    assert refusal(as_role("s3").get_object, Bucket=BUCKET, Key="train/a.csv")[0] == "AccessDenied"


def test_the_command_line_acts_as_whom_it_is_told(sandbox_service: RunningService, other: Clients) -> None:
    sandbox_service.set("SAGESTONE_USER", f"{OTHER}/sagestone")
    try:
        shown = asked(sandbox_service, "describe")["AlgorithmSummaryList"]
        assert [each["AlgorithmArn"].split(":")[4] for each in shown] == [OTHER]
        assert f"{OTHER}" in sandbox_service.command("user", "list", "--account", OTHER).stdout
    finally:
        sandbox_service.set("SAGESTONE_USER", "")
    assert [each["account"] for each in asked(sandbox_service, "account", "list")] == [OWN, OTHER]
    taken = sandbox_service.command("account", "create", OTHER)
    assert (taken.returncode, "exists already" in taken.stderr) == (1, True)


def test_a_job_of_another_account_outlives_the_service(sandbox_service: RunningService, other: Clients) -> None:
    request = their_request("survivor")
    request["HyperParameters"] = {"mode": "slow"}
    other("sagemaker").create_training_job(**request)
    eventually(
        lambda: other("sagemaker").describe_training_job(TrainingJobName="survivor")["SecondaryStatus"] == "Training",
        "it trains",
    )
    sandbox_service.kill()
    sandbox_service.start()
    assert ended(other, "survivor")["TrainingJobStatus"] == "Completed"
    jobs = sandbox_service.home / "accounts" / OTHER / "jobs"
    eventually(lambda: not list(jobs.glob("training/*")), "nothing of it is left")
    assert not os.path.lexists(sandbox_service.home / "jobs" / "training" / "survivor")
