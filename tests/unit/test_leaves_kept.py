"""The leaves of DescribeAlgorithm one by one: what a request gives is kept, and given back as the service does."""

from collections.abc import Iterator
from typing import Any

import pytest

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.describe.algorithm import describe_algorithm
from sagestone.domain.rules.specification import specification_violations
from tests.unit.requests import DIGEST, JOB, TRAINING, TRANSFORM, changed
from tests.unit.served import CHECKS, MODELS, check_answer

SPECIFIED = f"{TRAINING}.SupportedHyperParameters"
CONTAINER = "InferenceSpecification.Containers.0"
INPUT = f"{JOB}.InputDataConfig.0"
S3 = f"{INPUT}.DataSource.S3DataSource"
RESOURCES = f"{JOB}.ResourceConfig"

#: Checked and acted on, and not given back (observed of the service).
NOT_DESCRIBED = {
    "InputMode", "ShuffleConfig", "KeepAlivePeriodInSeconds", "MaxWaitTimeInSeconds",
}  # fmt: skip

#: Requests that together give every leaf that one can give today.
REQUESTS: dict[str, list[tuple[str, Any]]] = {
    "all of a plain one": [
        (f"{TRAINING}.TrainingImageDigest", DIGEST),
        (f"{SPECIFIED}.0.Description", "How deep"),
        (f"{TRAINING}.TrainingChannels.0.Description", "Rows"),
        (f"{CONTAINER}.ContainerHostname", "trees"),
        (f"{CONTAINER}.ImageDigest", DIGEST),
        (f"{CONTAINER}.ModelDataUrl", "s3://data/models/given.tar.gz"),
        (f"{CONTAINER}.ProductId", "prod-1"),
        (f"{CONTAINER}.ModelInput", {"DataInputConfig": '{"input": [1, 4]}'}),
        (f"{CONTAINER}.Framework", "SCIKIT_LEARN"),
        (f"{CONTAINER}.FrameworkVersion", "1.7.2"),
        (f"{CONTAINER}.NearestModelName", "forest"),
        (f"{S3}.S3DataDistributionType", "ShardedByS3Key"),
        (f"{S3}.AttributeNames", ["label"]),
        (f"{INPUT}.CompressionType", "None"),
        (f"{INPUT}.RecordWrapperType", "None"),
        (f"{INPUT}.InputMode", "File"),
        (f"{INPUT}.ShuffleConfig", {"Seed": 7}),
        (f"{JOB}.OutputDataConfig.KmsKeyId", "alias/models"),
        (f"{RESOURCES}.VolumeKmsKeyId", "alias/volumes"),
        (f"{RESOURCES}.KeepAlivePeriodInSeconds", 60),
        (f"{JOB}.StoppingCondition.MaxWaitTimeInSeconds", 900),
        (f"{TRANSFORM}.Environment", {"LEVEL": "info"}),
        (f"{TRANSFORM}.TransformInput.CompressionType", "Gzip"),
        (f"{TRANSFORM}.TransformOutput.KmsKeyId", "alias/results"),
        (f"{TRANSFORM}.TransformResources.VolumeKmsKeyId", "alias/volumes"),
        ("CertifyForMarketplace", False),
    ],
    "groups": [
        (
            RESOURCES,
            {
                "VolumeSizeInGB": 1,
                "InstanceGroups": [
                    {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "a"},
                    {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "InstanceGroupName": "b"},
                ],
            },
        ),
        (f"{S3}.InstanceGroupNames", ["a"]),
    ],
    "a file system": [
        (
            f"{INPUT}.DataSource",
            {
                "FileSystemDataSource": {
                    "FileSystemId": "fs-0123456789abcdef0",
                    "FileSystemAccessMode": "ro",
                    "FileSystemType": "EFS",
                    "DirectoryPath": "/digits",
                }
            },
        )
    ],
}


@pytest.mark.parametrize("name", REQUESTS)
def test_what_was_given_comes_back(name: str) -> None:
    clean, violations = CHECKS["sagemaker"].check("CreateAlgorithm", changed(*REQUESTS[name]))
    assert violations == []
    assert specification_violations(clean) == []
    shown = describe_algorithm(_algorithm(clean))
    check_answer("sagemaker", "DescribeAlgorithm", shown)
    given, back = set(_leaves(clean, "")), set(_leaves(shown, ""))
    missing = {(path, str(value)) for path, value in given} - {(path, str(value)) for path, value in back}
    assert {path for path, _ in missing if not NOT_DESCRIBED & set(path.split("."))} == set()
    assert not [path for path, _ in back if NOT_DESCRIBED & set(path.split("."))]


def test_the_requests_give_every_leaf() -> None:
    given = {path for changes in REQUESTS.values() for path, _ in _leaves(changed(*changes), "")}
    specification = MODELS["sagemaker"].operation_model("DescribeAlgorithm").output_shape
    leaves = {
        path for path in _model_leaves(specification, "") if path.partition(".")[0] in given_members(specification)
    }
    assert {path for path in leaves - given if not _is_newer(path)} == set()


def given_members(shape: Any) -> set[str]:
    """The members of Describe that a request has too."""
    request = MODELS["sagemaker"].operation_model("CreateAlgorithm").input_shape
    return set(shape.members) & set(request.members)


def _is_newer(path: str) -> bool:
    """Members that came after the 99: docs/compatibility.md says what is done with each."""
    return any(
        part in path
        for part in (
            "AdditionalS3DataSource", "ModelDataSource", "AdditionalModelDataSources", "ModelDataETag", "IsCheckpoint",
            "BaseModel", "ModelAccessConfig", "HubAccessConfig", "DatasetSource", "OutputDataConfig.CompressionType",
            "TrainingPlanArn", "InstancePlacementConfig", "InstancePreferences", "SelectedInstance", "MaxPendingTime",
            "TransformAmiVersion",
        )
    )  # fmt: skip


def _algorithm(request: dict[str, Any]) -> Algorithm:
    return Algorithm(
        name=request["AlgorithmName"],
        arn="arn:aws:sagemaker:us-east-1:123456789012:algorithm/trees",
        created_at=1_700_000_000.0,
        request=request,
        training_image_digest=DIGEST,
        container_image_digests=(DIGEST,),
    )


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Path (without the numbers of lists) and value of everything in a document; maps of free keys count as one."""
    if isinstance(value, dict) and path.rpartition(".")[2] not in ("Environment", "HyperParameters"):
        for name, member in value.items():
            yield from _leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, path)
    else:
        yield path, str(value)


def _model_leaves(shape: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from _model_leaves(member, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        yield from _model_leaves(shape.member, path)
    else:
        yield path
