"""Rules of the InferenceSpecification, of a profile's transform job, of certification and of tags."""

import pytest

from tests.unit.requests import LEFT_OUT, TRANSFORM, texts

FAILED = "failed to satisfy constraint"
PLACE = "validationSpecification.validationProfiles.1.member.transformJobDefinition"
CONTAINERS = "InferenceSpecification.Containers"
INPUT = f"{TRANSFORM}.TransformInput"
OUTPUT = f"{TRANSFORM}.TransformOutput"
RESOURCES = f"{TRANSFORM}.TransformResources"
LATER = "Member is not supported yet"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            f"{CONTAINERS}.0.ModelInput",
            {"DataInputConfig": "{'a': 1}"},
            f"Value '{{'a': 1}}' at 'inferenceSpecification.containers.1.member.modelInput.dataInputConfig' {FAILED}: "
            "Member must be JSON",
        ),
        (
            f"{CONTAINERS}.0.Image",
            LEFT_OUT,
            f"Value null at 'inferenceSpecification.containers.1.member.image' {FAILED}: Member must not be null: the "
            "profile's transform needs an image",
        ),
        (
            f"{CONTAINERS}.0.ModelDataSource",
            {"S3DataSource": {"S3Uri": "s3://b/k"}},
            f"Value at 'inferenceSpecification.containers.1.member.modelDataSource' {FAILED}: {LATER}: batch transform "
            "reads an archive; use ModelDataUrl",
        ),
        (
            f"{TRANSFORM}.MaxPayloadInMB",
            101,
            f"Value '101' at '{PLACE}.maxPayloadInMB' {FAILED}: Member must have value less than or equal to 100",
        ),
        (
            f"{TRANSFORM}.MaxConcurrentTransforms",
            17,
            f"Value '17' at '{PLACE}.maxConcurrentTransforms' {FAILED}: Member times MaxPayloadInMB, which is 6, must "
            "not exceed 100",
        ),
        (
            f"{INPUT}.ContentType",
            "text/plain",
            f"Value 'text/plain' at '{PLACE}.transformInput.contentType' {FAILED}: Member must be one of "
            "SupportedContentTypes: [text/csv]",
        ),
        (
            f"{INPUT}.DataSource.S3DataSource.S3DataType",
            "AugmentedManifestFile",
            f"Value 'AugmentedManifestFile' at '{PLACE}.transformInput.dataSource.s3DataSource.s3DataType' {FAILED}: "
            f"{LATER}: use S3Prefix or ManifestFile",
        ),
        (
            f"{OUTPUT}.Accept",
            "application/json",
            f"Value 'application/json' at '{PLACE}.transformOutput.accept' {FAILED}: Member must be one of "
            "SupportedResponseMIMETypes: [text/csv]",
        ),
        (
            f"{RESOURCES}.InstanceType",
            "ml.m5.xlarge",
            f"Value 'ml.m5.xlarge' at '{PLACE}.transformResources.instanceType' {FAILED}: Member must be one of "
            "SupportedTransformInstanceTypes: [ml.m5.large]",
        ),
        (
            f"{RESOURCES}.InstanceCount",
            101,
            f"Value '101' at '{PLACE}.transformResources.instanceCount' {FAILED}: Member must have value less than or "
            "equal to 100",
        ),
        (
            f"{RESOURCES}.TransformAmiVersion",
            "al2-ami-sagemaker-batch-gpu-535",
            f"Value 'al2-ami-sagemaker-batch-gpu-535' at '{PLACE}.transformResources.transformAmiVersion' {FAILED}: "
            f"{LATER}: instances have no machine image to choose",
        ),
        (
            "InferenceSpecification",
            LEFT_OUT,
            f"Value at '{PLACE}' {FAILED}: Member needs an InferenceSpecification: without one there is no container "
            "to serve",
        ),
        (
            "CertifyForMarketplace",
            True,
            f"Value 'true' at 'certifyForMarketplace' {FAILED}: {LATER}: certification scans the images for known "
            "vulnerabilities, and there is no scanner here; leave it out or set it to false: the validation "
            "is the same",
        ),
        (
            "Tags",
            [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
            f"Value 'a' at 'tags.2.member.key' {FAILED}: Member must be unique: tags.1.member.key is the same tag key",
        ),
        (
            "Tags",
            [{"Key": "AWS:a", "Value": ""}],
            f"Value 'AWS:a' at 'tags.1.member.key' {FAILED}: Member must not begin with aws: which is reserved",
        ),
    ],
)
def test_refused_with_its_own_message(path: str, value: object, expected: str) -> None:
    assert texts((path, value)) == [expected]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{OUTPUT}.KmsKeyId", ""),
        (f"{OUTPUT}.KmsKeyId", "alias/key"),
        (f"{RESOURCES}.VolumeKmsKeyId", "alias/key"),
        (f"{INPUT}.CompressionType", "Gzip"),
        (f"{INPUT}.SplitType", "None"),
        (f"{TRANSFORM}.MaxPayloadInMB", 0),
        (f"{TRANSFORM}.MaxPayloadInMB", 50),
        (f"{TRANSFORM}.MaxConcurrentTransforms", 0),
        (f"{TRANSFORM}.BatchStrategy", "SingleRecord"),
        ("InferenceSpecification.SupportedContentTypes", []),
        ("InferenceSpecification.SupportedResponseMIMETypes", LEFT_OUT),
        ("InferenceSpecification.SupportedTransformInstanceTypes", LEFT_OUT),
        ("InferenceSpecification.SupportedRealtimeInferenceInstanceTypes", LEFT_OUT),
        (f"{CONTAINERS}.0.ModelDataUrl", "s3://data/model.tar.gz"),
        (f"{CONTAINERS}.0.ProductId", "product"),
        (f"{CONTAINERS}.0.AdditionalS3DataSource", {"S3DataType": "S3Object", "S3Uri": "s3://b/weights.tar.gz"}),
        ("CertifyForMarketplace", False),
    ],
)
def test_accepted_as_the_service_accepts_it(path: str, value: object) -> None:
    assert texts((path, value)) == []


def test_a_pipeline_is_transformed_too() -> None:
    assert texts((f"{CONTAINERS}.1", {"Image": "other:1"})) == []
    assert texts((f"{CONTAINERS}.1", {"ContainerHostname": "x"})) != []


@pytest.mark.parametrize(("name", "why"), [("LocalHost", "calls itself so"), ("data-log", "the log stream of that")])
def test_container_host_names_mean_nothing_else(name: str, why: str) -> None:
    (told,) = texts((f"{CONTAINERS}.0.ContainerHostname", name), (TRANSFORM, LEFT_OUT))
    assert told.startswith(f"Value '{name}' at 'inferenceSpecification.containers.1.member.containerHostname' {FAILED}")
    assert why in told


def test_container_host_names_are_unique() -> None:
    changes = (
        (f"{CONTAINERS}.0.ContainerHostname", "first"),
        (f"{CONTAINERS}.1", {"Image": "other:1", "ContainerHostname": "first"}),
        (TRANSFORM, LEFT_OUT),
    )
    assert texts(*changes) == [
        f"Value 'first' at 'inferenceSpecification.containers.2.member.containerHostname' {FAILED}: Member must be "
        "unique: inferenceSpecification.containers.1.member.containerHostname is the same container host name"
    ]


def test_certification_without_validation_misses_both() -> None:
    refused = texts(("CertifyForMarketplace", True), ("ValidationSpecification", LEFT_OUT))
    assert len(refused) == 2
    assert "without a ValidationSpecification" in refused[0]


def test_json_that_is_nested_beyond_reason_is_no_json() -> None:
    refused = texts((f"{CONTAINERS}.0.ModelInput", {"DataInputConfig": "[" * 16000}))
    assert refused[0].endswith("Member must be JSON")
