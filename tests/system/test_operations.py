"""Every operation that is served, called by an unmodified boto3 against the real service."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.system.service import RunningService, eventually
from tests.system.validation import finished, job_of, reason, specification


def _create(service: RunningService, name: str, **members: Any) -> str:
    request = specification(name, "tests/train:1")
    del request["ValidationSpecification"]
    return str(service.client("sagemaker").create_algorithm(**{**request, **members})["AlgorithmArn"])


def _error(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_algorithm_lives_from_create_to_gone(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    arn = _create(sandbox_service, "life")
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:algorithm/life"
    finished(sandbox_service, "life")
    by_name, by_arn = (sagemaker.describe_algorithm(AlgorithmName=key) for key in ("life", arn))
    for answer in (by_name, by_arn):
        del answer["ResponseMetadata"]
    assert by_name == by_arn
    code, message = _error(sagemaker.create_algorithm, **_request("life"))
    assert (code, message) == ("ValidationException", f'Cannot create already existing algorithm "{arn}".')
    assert sagemaker.delete_algorithm(AlgorithmName="life")["ResponseMetadata"]["HTTPStatusCode"] == 200
    eventually(lambda: _is_gone(sagemaker, "life"), "the algorithm is gone")


def _request(name: str) -> dict[str, Any]:
    request = specification(name, "tests/train:1")
    del request["ValidationSpecification"]
    return request


def _is_gone(sagemaker: Any, name: str) -> bool:
    try:
        sagemaker.describe_algorithm(AlgorithmName=name)
    except ClientError as error:
        return "does not exist" in error.response["Error"]["Message"]
    return False


def test_lists_filter_sort_and_page(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    for letter in "cab":
        _create(sandbox_service, f"listed-{letter}", AlgorithmDescription=letter)
    pages = sagemaker.get_paginator("list_algorithms").paginate(
        NameContains="listed", SortBy="Name", SortOrder="Descending", MaxResults=1
    )
    found = [row for page in pages for row in page["AlgorithmSummaryList"]]
    assert [row["AlgorithmName"] for row in found] == ["listed-c", "listed-b", "listed-a"]
    assert found[0]["AlgorithmDescription"] == "c"
    code, message = _error(sagemaker.list_algorithms, NextToken="bm8=")
    assert code == "ValidationException"
    assert "token" in message.lower()


def test_tags_are_added_listed_and_deleted(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    arn = _create(sandbox_service, "tagged", Tags=[{"Key": "a", "Value": "1"}])
    added = sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    assert sorted(tag["Value"] for tag in added["Tags"]) == ["2", "3"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_a_validation_is_protected_from_delete_and_its_job_can_be_stopped(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    request = specification("stopped", "tests/train:1", training={"HyperParameters": {"mode": "polite"}})
    sagemaker.create_algorithm(**request)

    def trains() -> bool:
        jobs = sagemaker.list_training_jobs(NameContains="stopped")["TrainingJobSummaries"]
        return bool(jobs) and job_of(sandbox_service, "training", "stopped")["SecondaryStatus"] == "Training"

    eventually(trains, "the training container runs")
    code, message = _error(sagemaker.delete_algorithm, AlgorithmName="stopped")
    assert (code, "Cannot delete Algorithm in InProgress status" in message) == ("ValidationException", True)
    name = job_of(sandbox_service, "training", "stopped")["TrainingJobName"]
    sagemaker.stop_training_job(TrainingJobName=name)
    description = finished(sandbox_service, "stopped")
    assert description["AlgorithmStatus"] == "Failed"
    assert "stopped" in reason(description).lower()
    job = job_of(sandbox_service, "training", "stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    code, message = _error(sagemaker.stop_training_job, TrainingJobName=name)
    assert code == "ValidationException"
    assert "is in status Stopped" in message


def test_what_is_not_there_is_told_in_the_services_words(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    for call in (sagemaker.describe_algorithm, sagemaker.delete_algorithm):
        code, message = _error(call, AlgorithmName="nobody")
        assert code == "ValidationException"
        assert "does not exist" in message
    code, message = _error(sagemaker.describe_training_job, TrainingJobName="nobody")
    assert (code, message) == ("ValidationException", "Requested resource not found.")
    code, _ = _error(sandbox_service.client("logs").describe_log_streams, logGroupName="/aws/nothing")
    assert code == "ResourceNotFoundException"
    code, _ = _error(sagemaker.list_endpoints)
    assert code == "UnknownOperationException"


def test_an_image_that_nobody_holds_is_refused(sandbox_service: RunningService) -> None:
    code, message = _error(sandbox_service.client("sagemaker").create_algorithm, **specification("no", "no/image:1"))
    assert code == "ValidationException"
    assert "no/image:1" in message


def test_a_wrong_secret_is_refused(sandbox_service: RunningService) -> None:
    import boto3

    access_key, _ = sandbox_service.keys()
    session = boto3.Session(access_key, "wrong", region_name="us-east-1")
    sagemaker = session.client("sagemaker", endpoint_url=sandbox_service.endpoint)
    assert _error(sagemaker.list_algorithms)[0] == "InvalidSignatureException"
    assert (
        _error(session.client("s3", endpoint_url=sandbox_service.endpoint).list_buckets)[0] == "SignatureDoesNotMatch"
    )
