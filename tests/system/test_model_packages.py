"""Model packages with an unmodified boto3: of an algorithm, validated for real, and as versions of a group."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.system.service import RunningService, eventually
from tests.system.serving import archive, outputs, transform, wait
from tests.system.validation import ROLE, job_of, reason, specification, validate

PROFILE = specification("p", "tests/train:1", "tests/serve:1")["ValidationSpecification"]["ValidationProfiles"][0]


def packaged(service: RunningService, name: str, uri: str, **environment: str) -> dict[str, Any]:
    """A CreateModelPackage request of the tests' serving image."""
    return {
        "ModelPackageName": name,
        "InferenceSpecification": {
            "Containers": [{"Image": "tests/serve:1", "ModelDataUrl": uri, "Environment": environment}],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }


def validation() -> dict[str, Any]:
    """A profile whose transform reads the tests' data."""
    definition = PROFILE["TransformJobDefinition"]
    return {
        "ValidationRole": ROLE,
        "ValidationProfiles": [{"ProfileName": "batch", "TransformJobDefinition": definition}],
    }


def ended(service: RunningService, name: str) -> dict[str, Any]:
    """The description once the status is final."""
    sagemaker = service.client("sagemaker")
    found: dict[str, Any] = {}

    def is_final() -> bool:
        found.update(sagemaker.describe_model_package(ModelPackageName=name))
        return found["ModelPackageStatus"] in ("Completed", "Failed")

    eventually(is_final, f"{name} is Completed or Failed")
    return found


def test_a_trained_algorithm_is_packaged_and_served(service: RunningService) -> None:
    """The calls that the Python SDK makes for `AlgorithmEstimator.transformer().transform()`."""
    sagemaker = service.client("sagemaker")
    assert validate(service, specification("sold", "tests/train:1", "tests/serve:1"))["AlgorithmStatus"] == "Completed"
    artifact = job_of(service, "training", "sold")["ModelArtifacts"]["S3ModelArtifacts"]
    source = {"SourceAlgorithms": [{"AlgorithmName": "sold", "ModelDataUrl": artifact}]}
    arn = sagemaker.create_model_package(ModelPackageName="sold-package", SourceAlgorithmSpecification=source)[
        "ModelPackageArn"
    ]
    package = ended(service, "sold-package")
    assert package["ModelPackageStatus"] == "Completed"
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == artifact
    sagemaker.create_model(ModelName="sold-model", ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": arn}])
    sagemaker.create_transform_job(**transform("sold-job", "sold-model"))
    assert wait(service, "sold-job")["TransformJobStatus"] == "Completed"
    assert outputs(service, "sold-job")["second.csv.out"] == b"s1;ok\n"


def test_a_package_is_validated_by_a_real_transform(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    uri = archive(sandbox_service, "packaged.tar.gz")
    request = packaged(sandbox_service, "good", uri)
    sagemaker.create_model_package(**request, ValidationSpecification=validation())
    package = ended(sandbox_service, "good")
    assert package["ModelPackageStatus"] == "Completed"
    assert package["ModelPackageStatusDetails"]["ValidationStatuses"] == [{"Name": "batch", "Status": "Completed"}]
    job = job_of(sandbox_service, "transform", "good")
    assert job["TransformJobStatus"] == "Completed"
    model = sagemaker.describe_model(ModelName=job["ModelName"])
    assert model["PrimaryContainer"]["ModelDataUrl"] == uri


def test_a_pipeline_is_trained_packaged_and_served(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    request = specification("piped", "tests/train:1", "tests/serve:1")
    containers = [{"Image": "tests/serve:1", "ContainerHostname": name} for name in ("first", "second")]
    request["InferenceSpecification"]["Containers"] = containers
    description = validate(sandbox_service, request)
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    name = job_of(sandbox_service, "transform", "piped")["ModelName"]
    artifact = job_of(sandbox_service, "training", "piped")["ModelArtifacts"]["S3ModelArtifacts"]
    model = sagemaker.describe_model(ModelName=name)
    assert [each["ModelDataUrl"] for each in model["Containers"]] == [artifact] * 2
    source = {"SourceAlgorithms": [{"AlgorithmName": "piped", "ModelDataUrl": artifact}]}
    sagemaker.create_model_package(ModelPackageName="piped", SourceAlgorithmSpecification=source)
    sagemaker.create_model(ModelName="piped", PrimaryContainer={"ModelPackageName": "piped"})
    sagemaker.create_transform_job(**transform("piped-job", "piped"))
    assert wait(sandbox_service, "piped-job")["TransformJobStatus"] == "Completed"
    assert outputs(sandbox_service, "piped-job")["second.csv.out"] == b"s1;ok;ok\n"


def test_a_package_that_does_not_serve_fails_with_the_reason(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    uri = archive(sandbox_service, "packaged.tar.gz")
    request = packaged(sandbox_service, "bad", uri, MODE="media-type")
    sagemaker.create_model_package(**request, ValidationSpecification=validation())
    package = ended(sandbox_service, "bad")
    assert package["ModelPackageStatus"] == "Failed"
    (item,) = package["ModelPackageStatusDetails"]["ValidationStatuses"]
    name = job_of(sandbox_service, "transform", "bad")["TransformJobName"]
    assert item["FailureReason"].startswith(f"Client error: Transform job {name} failed: ClientError: ")
    assert "415" in item["FailureReason"]
    with pytest.raises(ClientError, match="is in Failed status; a model needs one in Completed status"):
        sagemaker.create_model(ModelName="bad-model", PrimaryContainer={"ModelPackageName": "bad"})
    sagemaker.delete_model_package(ModelPackageName="bad")


def test_versions_are_registered_approved_and_served(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    uri = archive(sandbox_service, "packaged.tar.gz")
    sagemaker.create_model_package_group(ModelPackageGroupName="registry")
    specification_ = packaged(sandbox_service, "x", uri)["InferenceSpecification"]
    arns = [
        sagemaker.create_model_package(ModelPackageGroupName="registry", InferenceSpecification=specification_)[
            "ModelPackageArn"
        ]
        for _ in range(3)
    ]
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName="registry", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    listed = [[row["ModelPackageVersion"] for row in page["ModelPackageSummaryList"]] for page in pages]
    assert listed == [[3, 2], [1]]
    with pytest.raises(ClientError, match="ModelApprovalStatus PendingManualApproval"):
        sagemaker.create_model(ModelName="registered", PrimaryContainer={"ModelPackageName": arns[2]})
    sagemaker.update_model_package(ModelPackageArn=arns[2], ModelApprovalStatus="Approved")
    sagemaker.create_model(ModelName="registered", PrimaryContainer={"ModelPackageName": arns[2]})
    sagemaker.create_transform_job(**transform("registered-job", "registered"))
    assert wait(sandbox_service, "registered-job")["TransformJobStatus"] == "Completed"
    with pytest.raises(ClientError) as caught:
        sagemaker.delete_model_package_group(ModelPackageGroupName="registry")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    for arn in arns:
        sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName="registry")
    groups = sagemaker.list_model_package_groups(NameContains="registry")["ModelPackageGroupSummaryList"]
    assert groups == []


def test_a_package_goes_on_being_validated_by_the_next_life_of_the_service(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    uri = archive(sandbox_service, "packaged.tar.gz")
    sagemaker.create_model_package(
        **packaged(sandbox_service, "reborn", uri, MODE="slow"), ValidationSpecification=validation()
    )
    eventually(
        lambda: bool(sagemaker.list_transform_jobs(NameContains="reborn")["TransformJobSummaries"]),
        "the validation's job is there",
    )
    sandbox_service.kill()
    sandbox_service.start()
    assert ended(sandbox_service, "reborn")["ModelPackageStatus"] == "Completed"
    jobs = sandbox_service.client("sagemaker").list_transform_jobs(NameContains="reborn")["TransformJobSummaries"]
    assert len(jobs) == 1
