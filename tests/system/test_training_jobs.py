"""Training jobs of users, by an unmodified boto3 against the real service."""

import io
import tarfile
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.system.service import RunningService, eventually
from tests.system.training import ended, log_of, reaches, train, training_request
from tests.system.validation import BUCKET, finished, specification, stages_of


def error(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    told = caught.value.response["Error"]
    return told["Code"], told["Message"]


def members(service: RunningService, uri: str) -> dict[str, bytes]:
    """The files of an archive in the store."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = service.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive if each.isfile()}  # type: ignore[union-attr]


def test_a_job_of_an_image_from_create_to_artifact(service: RunningService) -> None:
    sagemaker = service.client("sagemaker")
    request = training_request("Image-Job", Environment={"COLOUR": "red"}, Tags=[{"Key": "team", "Value": "a"}])
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:training-job/image-job"
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName="Image-Job", WaiterConfig={"Delay": 1, "MaxAttempts": 90})
    shown = sagemaker.describe_training_job(TrainingJobName="Image-Job")
    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("Completed", "Completed")
    assert stages_of(shown) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert shown["TrainingStartTime"] <= shown["TrainingEndTime"] <= shown["LastModifiedTime"]
    assert shown["TrainingTimeInSeconds"] == shown["BillableTimeInSeconds"] >= 1
    (metric,) = shown["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("loss", 0.5)
    assert shown["Environment"] == {"COLOUR": "red"}
    uri = shown["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{BUCKET}/models/Image-Job/output/model.tar.gz"
    assert members(service, uri) == {"model.csv": b"1,2\n3,4\n5,6\n"}
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    assert "mode plain on algo-1" in log_of(service, "Image-Job")


def test_a_job_of_an_algorithm_has_its_image_defaults_and_metrics(service: RunningService) -> None:
    algorithm = specification("trainable", "tests/train:1")
    del algorithm["ValidationSpecification"]
    arn = service.client("sagemaker").create_algorithm(**algorithm)["AlgorithmArn"]
    assert finished(service, "trainable")["AlgorithmStatus"] == "Completed"
    request = training_request(
        "of-algorithm", AlgorithmSpecification={"AlgorithmName": arn, "TrainingInputMode": "File"}
    )
    del request["HyperParameters"]
    shown = train(service, request)
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    assert shown["AlgorithmSpecification"]["MetricDefinitions"] == [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
    assert [each["MetricName"] for each in shown["FinalMetricDataList"]] == ["loss"]
    assert "mode plain on algo-1" in log_of(service, "of-algorithm")


def test_an_entrypoint_and_arguments_of_the_job(service: RunningService) -> None:
    program = 'echo "$0 $# $1"; echo "$COLOUR" > /opt/ml/model/colour'
    specified = {
        "TrainingImage": "tests/train:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/sh", "-c", program],
        "ContainerArguments": ["me", "two words"],
    }
    request = training_request("entrypoint", AlgorithmSpecification=specified, Environment={"COLOUR": "red"})
    shown = train(service, request)
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    assert shown["AlgorithmSpecification"]["ContainerArguments"] == ["me", "two words"]
    assert "me 1 two words" in log_of(service, "entrypoint")
    assert members(service, shown["ModelArtifacts"]["S3ModelArtifacts"]) == {"colour": b"red\n"}


@pytest.mark.parametrize("isolated", [False, True])
def test_the_network_of_a_job(service: RunningService, isolated: bool) -> None:
    name = f"network-{'isolated' if isolated else 'open'}"
    specified = {
        "TrainingImage": "tests/train:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/sh", "-c", "echo routes $(tail -n +2 /proc/net/route | wc -l)"],
    }
    request = training_request(name, AlgorithmSpecification=specified, EnableNetworkIsolation=isolated)
    shown = train(service, request)
    assert shown["EnableNetworkIsolation"] is isolated
    assert ("routes 0" in log_of(service, name)) == isolated


@pytest.mark.parametrize("isolated", [False, True])
def test_two_hosts_find_each_other(service: RunningService, isolated: bool) -> None:
    name = f"hosts-{'isolated' if isolated else 'open'}"
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    shown = train(service, training_request(name, "hosts", ResourceConfig=resources, EnableNetworkIsolation=isolated))
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    assert members(service, shown["ModelArtifacts"]["S3ModelArtifacts"])["heard"] == b"hello from algo-2\n"


def test_uncompressed_output_goes_up_file_by_file(sandbox_service: RunningService) -> None:
    output = {"S3OutputPath": f"s3://{BUCKET}/models/", "CompressionType": "NONE"}
    shown = train(sandbox_service, training_request("uncompressed", OutputDataConfig=output))
    assert shown["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/models/uncompressed/output/model"
    s3 = sandbox_service.client("s3")
    body = s3.get_object(Bucket=BUCKET, Key="models/uncompressed/output/model/model.csv")["Body"].read()
    assert body == b"1,2\n3,4\n5,6\n"


def test_a_stopped_job_keeps_what_it_left(service: RunningService) -> None:
    sagemaker = service.client("sagemaker")
    sagemaker.create_training_job(**training_request("stopped", "polite"))
    reaches(service, "stopped", "Training")
    eventually(lambda: "mode polite on algo-1" in log_of(service, "stopped"), "the program runs")
    sagemaker.stop_training_job(TrainingJobName="stopped")
    shown = ended(service, "stopped")
    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("Stopped", "Stopped")
    statuses = [each["Status"] for each in shown["SecondaryStatusTransitions"]]
    assert statuses[-3:] == ["Stopping", "Uploading", "Stopped"]
    assert members(service, shown["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.csv": b"partial\n"}
    code, message = error(sagemaker.stop_training_job, TrainingJobName="stopped")
    assert code == "ValidationException"
    assert message == "The request was rejected because the training job is in status Stopped."


def test_a_failed_job_says_why_and_fails_the_waiter(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    shown = train(sandbox_service, training_request("failing", "failure-file"))
    assert shown["FailureReason"] == "AlgorithmError: the labels are missing, exit code: 3"
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    for name in ("failing", "never-created"):
        with pytest.raises(WaiterError):
            waiter.wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 2})


def test_a_job_is_stopped_at_its_longest_run(sandbox_service: RunningService) -> None:
    request = training_request("too-long", "polite", StoppingCondition={"MaxRuntimeInSeconds": 1})
    shown = train(sandbox_service, request)
    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_metrics_are_told_over_time_by_cloudwatch(service: RunningService) -> None:
    shown = train(service, training_request("measured", "slow"))
    watch = service.client("cloudwatch")
    dimensions = [{"Name": "TrainingJobName", "Value": "measured"}]
    metric = {"Namespace": "/aws/sagemaker/TrainingJobs", "MetricName": "loss", "Dimensions": dimensions}
    assert watch.list_metrics(Dimensions=dimensions)["Metrics"] == [metric]
    span = {"StartTime": shown["TrainingStartTime"], "EndTime": shown["TrainingEndTime"] + timedelta(minutes=1)}
    (point,) = watch.get_metric_statistics(**metric, **span, Period=60, Statistics=["Average"])["Datapoints"]
    assert (point["Average"], point["Timestamp"].second) == (0.5, 0)
    query = {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    (result,) = watch.get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"]
    assert (result["Values"], result["Timestamps"]) == ([0.5], [point["Timestamp"]])
    host = [{"Name": "Host", "Value": "measured/algo-1"}]
    names = [each["MetricName"] for each in watch.list_metrics(Dimensions=host)["Metrics"]]
    assert names == ["CPUUtilization", "DiskUtilization", "MemoryUtilization"]
    for name in names:
        (point,) = watch.get_metric_statistics(
            Namespace=metric["Namespace"], MetricName=name, Dimensions=host, **span, Period=3600, Statistics=["Maximum"]
        )["Datapoints"]
        assert (point["Maximum"] >= 0.0, point["Unit"]) == (True, "Percent")
    code, message = error(watch.get_metric_statistics, **metric, **span, Period=7, Statistics=["Sum"])
    assert (code, "Period" in message) == ("InvalidParameterValue", True)
    code, message = error(watch.list_dashboards)
    assert (code, message) == (
        "UnknownOperationException", "ListDashboards is an operation of monitoring that Sagestone does not serve.",
    )  # fmt: skip


def test_a_deleted_job_frees_its_name(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    first = train(sandbox_service, training_request("again"))
    assert error(sagemaker.create_training_job, **training_request("again"))[0] == "ResourceInUse"
    sagemaker.delete_training_job(TrainingJobName="again")

    def gone() -> bool:
        try:
            return bool(sagemaker.describe_training_job(TrainingJobName="again")["TrainingJobStatus"] != "Deleting")
        except ClientError as caught:
            return bool(caught.response["Error"]["Message"] == "Requested resource not found.")

    eventually(gone, "the job is gone")
    assert error(sagemaker.delete_training_job, TrainingJobName="again")[0] == "ResourceNotFound"
    second = train(sandbox_service, training_request("again", "tabs"))
    assert second["TrainingJobStatus"] == "Completed"
    assert second["CreationTime"] > first["CreationTime"]


def test_lists_filter_sort_and_page(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    for letter in "bca":
        train(sandbox_service, training_request(f"listed-{letter}", "exit-code" if letter == "c" else "plain"))

    def names(**filters: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_training_jobs").paginate(
            NameContains="listed", PaginationConfig={"PageSize": 1}, **filters
        )
        return [row["TrainingJobName"] for page in pages for row in page["TrainingJobSummaries"]]

    assert names() == ["listed-b", "listed-c", "listed-a"]
    assert names(SortBy="Name", SortOrder="Descending") == ["listed-c", "listed-b", "listed-a"]
    assert names(StatusEquals="Failed") == ["listed-c"]
    assert names(SortBy="Status") == ["listed-b", "listed-a", "listed-c"]
    second = sagemaker.describe_training_job(TrainingJobName="listed-c")
    assert names(CreationTimeAfter=second["CreationTime"]) == ["listed-a"]
    assert names(CreationTimeBefore=second["CreationTime"]) == ["listed-b"]
    assert names(LastModifiedTimeAfter=second["LastModifiedTime"]) == ["listed-a"]


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        ({"AlgorithmSpecification": {"AlgorithmName": "nobody", "TrainingInputMode": "File"}}, "ValidationException",
         "Algorithm arn:aws:sagemaker:us-east-1:123456789012:algorithm/nobody does not exist."),
        ({"AlgorithmSpecification": {"TrainingImage": "nothing:1", "TrainingInputMode": "File"}},
         "ValidationException", "Requested image nothing:1 not found."),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 2}}, "ValidationException",
         "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"),
        ({"MlflowConfig": {"MlflowResourceArn": f"arn:aws:sagemaker:us-east-1:{'1' * 12}:mlflow-app/a"}},
         "ValidationException", "Member is not supported yet: there is no MLflow here"),
        ({"HyperParameters": {"a": "x" * 2501}}, "ValidationException",
         "Map value must satisfy constraint: [Member must have length less than or equal to 2500"),
        ({"ResourceConfig": {"InstanceType": "ml.t2.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}},
         "ValidationException", "Member must satisfy enum value set: ["),
        ({"TrainingJobName": "not_a_name"}, "ValidationException", "Member must satisfy regular expression pattern"),
    ],
)  # fmt: skip
def test_refusals(sandbox_service: RunningService, changes: dict[str, Any], code: str, told: str) -> None:
    request = training_request("refused", **changes)
    found, message = error(sandbox_service.client("sagemaker").create_training_job, **request)
    assert found == code
    assert told in message


def test_channels_without_data_are_refused_at_the_call(sandbox_service: RunningService) -> None:
    request = training_request("no-data")
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://nobodys/data"
    code, message = error(sandbox_service.client("sagemaker").create_training_job, **request)
    assert code == "ValidationException"
    assert message.startswith('No S3 objects found under S3 URL "s3://nobodys/data" given in input data source.')
