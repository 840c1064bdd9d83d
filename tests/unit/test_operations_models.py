"""The operations on models, over a real store of resources and a real store of objects."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.model import Model
from sagestone.wire.errors import ValidationException
from tests.unit.requests import DIGEST
from tests.unit.served import DEPLOYMENT, Served

ROLE = "arn:aws:iam::123456789012:role/Serving"
MODEL_DATA = "s3://data/models/model.tar.gz"
CONTAINER: dict[str, Any] = {"Image": "trees:1", "ModelDataUrl": MODEL_DATA, "Environment": {"WORKERS": "2"}}
REQUEST: dict[str, Any] = {"ModelName": "Oak", "PrimaryContainer": CONTAINER, "ExecutionRoleArn": ROLE}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model/Oak"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    made.put(MODEL_DATA)
    yield made
    made.store.close()


def refusal(served: Served, **members: Any) -> str:
    with pytest.raises(ValidationException) as caught:
        served.call("CreateModel", {**deepcopy(REQUEST), **members})
    return caught.value.message


def container(**members: Any) -> dict[str, Any]:
    return {**CONTAINER, **members}


def test_a_model_is_described_as_it_was_created(served: Served) -> None:
    assert served.call("CreateModel", REQUEST) == {"ModelArn": ARN}
    assert served.sagemaker("DescribeModel", ModelName="Oak") == {
        "ModelName": "Oak",
        "ModelArn": ARN,
        "CreationTime": served.now,
        "ExecutionRoleArn": ROLE,
        "EnableNetworkIsolation": False,
        "PrimaryContainer": {**CONTAINER, "Mode": "SingleModel"},
    }


def test_a_model_holds_on_to_the_image_it_was_created_with(served: Served) -> None:
    served.images["other:2"] = "sha256:" + "0f" * 32
    pipeline = [container(ContainerHostname="first"), {"Image": "other:2"}]
    served.sagemaker("CreateModel", ModelName="two", Containers=pipeline)
    found = served.store.resource(Model, "two")
    assert found is not None
    first, second = found.containers
    assert (first.image.uri, first.image.digest, first.hostname) == ("trees:1", DIGEST, "first")
    assert (first.model_uri, first.environment) == (MODEL_DATA, {"WORKERS": "2"})
    assert (second.image.digest, second.model_uri, second.environment) == ("sha256:" + "0f" * 32, None, {})
    shown = served.sagemaker("DescribeModel", ModelName="two")
    assert shown["Containers"] == [
        {**CONTAINER, "ContainerHostname": "first", "Mode": "SingleModel"},
        {"Image": "other:2", "Mode": "SingleModel", "Environment": {}},
    ]
    assert "PrimaryContainer" not in shown


def test_what_only_endpoints_use_is_kept_and_given_back(served: Served) -> None:
    source = {"S3Uri": "s3://data/models/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    kept = {"Image": "trees:1", "Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": "Disabled"},
            "ModelDataSource": {"S3DataSource": source}, "Environment": {}}  # fmt: skip
    extra = {
        "Containers": [kept],
        "InferenceExecutionConfig": {"Mode": "Direct"},
        "VpcConfig": {"SecurityGroupIds": ["sg-12345678"], "Subnets": ["subnet-12345678"]},
        "EnableNetworkIsolation": True,
    }
    served.sagemaker("CreateModel", ModelName="hosted", **extra)
    shown = served.sagemaker("DescribeModel", ModelName="hosted")
    assert {name: shown[name] for name in extra} == extra


def test_a_taken_name_is_refused_in_the_services_words(served: Served) -> None:
    served.call("CreateModel", REQUEST)
    assert refusal(served) == f'Cannot create already existing model "{ARN}".'


def test_a_model_that_is_not_there_is_told_in_the_services_words(served: Served) -> None:
    for operation in ("DescribeModel", "DeleteModel"):
        with pytest.raises(ValidationException, match=f'^Could not find model "{ARN}".$'):
            served.sagemaker(operation, ModelName="Oak")


def test_a_deleted_model_is_gone_with_its_tags(served: Served) -> None:
    served.call("CreateModel", {**REQUEST, "Tags": [{"Key": "team", "Value": "forest"}]})
    assert served.sagemaker("ListTags", ResourceArn=ARN)["Tags"] == [{"Key": "team", "Value": "forest"}]
    assert served.sagemaker("DeleteModel", ModelName="Oak") == {}
    with pytest.raises(ValidationException):
        served.sagemaker("DescribeModel", ModelName="Oak")
    with pytest.raises(ValidationException):
        served.sagemaker("ListTags", ResourceArn=ARN)
    served.call("CreateModel", REQUEST)


def test_an_archive_that_is_not_there_is_refused_in_the_services_words(served: Served) -> None:
    for uri in ("s3://data/models/", "s3://data/absent.tar.gz", "s3://no-bucket/model.tar.gz"):
        text = refusal(served, PrimaryContainer=container(ModelDataUrl=uri))
        assert text.startswith(f'Could not access model data at {uri}. Please ensure that the role "{ROLE}" exists')
        assert "the object is located in us-east-1. (" in text


def test_images_that_nobody_holds_are_all_named(served: Served) -> None:
    text = refusal(
        served, PrimaryContainer=None, Containers=[{"Image": "no:1"}, {"Image": "trees:1"}, {"Image": "no:2"}]
    )
    assert "Requested image no:1 not found." in text
    assert "Requested image no:2 not found." in text


@pytest.mark.parametrize(
    ("members", "violation"),
    [
        (
            {"PrimaryContainer": None},
            "Value null at 'primaryContainer' failed to satisfy constraint: Member must not be",
        ),
        ({"PrimaryContainer": {}}, "Value null at 'primaryContainer.image' failed"),
        ({"Containers": [CONTAINER]}, "Value at 'containers' failed to satisfy constraint: Member must be absent"),
        (
            {"PrimaryContainer": None, "Containers": [container(ContainerHostname="a")] * 2},
            "Value 'a' at 'containers.2.member.containerHostname' failed to satisfy constraint: Member must be unique",
        ),
        (
            {"PrimaryContainer": None, "Containers": [CONTAINER, container(ContainerHostname="localhost")]},
            "Value 'localhost' at 'containers.2.member.containerHostname' failed to satisfy constraint: Member must be",
        ),
        (
            {"PrimaryContainer": container(ImageConfig={"RepositoryAccessMode": "Vpc"})},
            "Value 'Vpc' at 'primaryContainer.imageConfig.repositoryAccessMode' failed",
        ),
        (
            {"PrimaryContainer": None, "Containers": [container(Environment={"A": "é" * 900, "B": "x" * 900})] * 15},
            "at 'containers.13.member.environment' failed to satisfy constraint: Member, with those of the containers",
        ),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "Value 'aws:x' at 'tags.1.member.key' failed"),
    ],
)
def test_rules_across_members(served: Served, members: dict[str, Any], violation: str) -> None:
    text = refusal(served, **members)
    assert text.startswith("1 validation error detected: ")
    assert violation in text


def test_lists_filter_sort_and_page(served: Served) -> None:
    for name in ("oak", "Oak", "elm"):
        served.call("CreateModel", {**REQUEST, "ModelName": name})
        served.now += 10

    def names(**parameters: Any) -> list[str]:
        return [row["ModelName"] for row in served.call("ListModels", parameters)["Models"]]

    assert names() == ["elm", "Oak", "oak"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["Oak", "elm", "oak"]
    assert names(NameContains="oak") == ["oak"]
    assert names(CreationTimeAfter=served.now - 10) == ["elm"]
    assert names(CreationTimeBefore=served.now - 10) == ["Oak", "oak"]
    first = served.sagemaker("ListModels", MaxResults=2)
    rest = served.sagemaker("ListModels", MaxResults=2, NextToken=first["NextToken"])
    assert [row["ModelName"] for row in first["Models"] + rest["Models"]] == ["elm", "Oak", "oak"]
    assert "NextToken" not in rest
    assert first["Models"][0]["ModelArn"] == DEPLOYMENT.arn("model", "elm")
