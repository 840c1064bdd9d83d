"""Rules of instance groups and of the channels that only some of them receive."""

from typing import Any

import pytest

from tests.unit.requests import JOB, LEFT_OUT, TRAINING, texts

FAILED = "failed to satisfy constraint"
PLACE = "validationSpecification.validationProfiles.1.member.trainingJobDefinition"
RESOURCES = f"{JOB}.ResourceConfig"
NAMES = f"{JOB}.InputDataConfig.0.DataSource.S3DataSource.InstanceGroupNames"


def group(name: str, kind: str = "ml.m5.large", count: int = 1) -> dict[str, Any]:
    return {"InstanceGroupName": name, "InstanceType": kind, "InstanceCount": count}


GROUPS = [group("data"), group("training", "ml.m5.xlarge", 2)]


def test_groups_of_supported_types_are_accepted() -> None:
    assert texts((RESOURCES, {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1})) == []
    assert texts((RESOURCES, {"InstanceGroups": GROUPS, "InstanceCount": 0, "KeepAlivePeriodInSeconds": 0})) == []
    assert (
        texts((RESOURCES, {"InstanceGroups": [group("one")]}), (f"{TRAINING}.SupportsDistributedTraining", False)) == []
    )


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (
            {"InstanceGroups": GROUPS, "InstanceType": "ml.m5.large", "InstanceCount": 1},
            [f"Value at '{PLACE}.resourceConfig.instanceGroups' {FAILED}: InstanceType or InstanceCount cannot be "
             "specified with InstanceGroups"],
        ),
        (
            {"InstanceGroups": GROUPS, "InstanceCount": 3},
            [f"Value at '{PLACE}.resourceConfig.instanceGroups' {FAILED}: InstanceType or InstanceCount cannot be "
             "specified with InstanceGroups"],
        ),
        (
            {"InstanceGroups": [group("same"), group("same")]},
            [f"Value 'same' at '{PLACE}.resourceConfig.instanceGroups.2.member.instanceGroupName' {FAILED}: Member "
             f"must be unique: {PLACE}.resourceConfig.instanceGroups.1.member.instanceGroupName is the same "
             "group name"],
        ),
        (
            {"InstanceGroups": [group("one"), group("two", "ml.c5.xlarge")]},
            [f"Value 'ml.c5.xlarge' at '{PLACE}.resourceConfig.instanceGroups.2.member.instanceType' {FAILED}: Member "
             "must be one of SupportedTrainingInstanceTypes: [ml.m5.large, ml.m5.xlarge, ml.g5.xlarge]"],
        ),
        (
            {"InstanceGroups": [group("none", count=0)]},
            [f"Value '0' at '{PLACE}.resourceConfig.instanceGroups.1.member.instanceCount' {FAILED}: Member must have "
             "value greater than or equal to 1: a group has instances"],
        ),
        (
            {"InstanceGroups": [group("one", count=1000), group("two")]},
            [f"Value at '{PLACE}.resourceConfig.instanceGroups' {FAILED}: Member must have 1000 instances at most, all "
             "groups together"],
        ),
        (
            {"InstanceGroups": GROUPS, "KeepAlivePeriodInSeconds": 60},
            [f"Value '60' at '{PLACE}.resourceConfig.keepAlivePeriodInSeconds' {FAILED}: Member must be 0: instances "
             "of InstanceGroups cannot be kept in a warm pool"],
        ),
        (
            {"InstanceGroups": [group("one"), group("two", "ml.g5.xlarge")], "VolumeKmsKeyId": "alias/key"},
            [f"Value 'alias/key' at '{PLACE}.resourceConfig.volumeKmsKeyId' {FAILED}: Member must be empty: "
             "ml.g5.xlarge keeps its data on local storage, which has no key"],
        ),
    ],
)  # fmt: skip
def test_groups_that_cannot_be(resources: dict[str, Any], expected: list[str]) -> None:
    assert texts((RESOURCES, resources)) == expected


def test_several_instances_in_groups_need_a_specification_that_says_so() -> None:
    changes = ((f"{TRAINING}.SupportsDistributedTraining", LEFT_OUT), (RESOURCES, {"InstanceGroups": GROUPS}))
    assert texts(*changes) == [
        f"Value at '{PLACE}.resourceConfig.instanceGroups' {FAILED}: Member must have one instance: the specification "
        "does not say SupportsDistributedTraining"
    ]


def test_a_channel_names_groups_of_its_job() -> None:
    where = f"{PLACE}.inputDataConfig.1.member.dataSource.s3DataSource.instanceGroupNames"
    groups = (RESOURCES, {"InstanceGroups": GROUPS})
    assert texts(groups, (NAMES, ["training"])) == []
    assert texts(groups, (NAMES, ["data", "other"])) == [
        f"Value 'other' at '{where}.2.member' {FAILED}: Member must be one of ResourceConfig.InstanceGroups: "
        "[data, training]"
    ]
    assert texts(groups, (NAMES, ["data", "data"])) == [
        f"Value 'data' at '{where}.2.member' {FAILED}: Member must be unique: {where}.1.member is the same group name"
    ]
    assert texts((NAMES, ["data"])) == [
        f"Value 'data' at '{where}.1.member' {FAILED}: Member must be one of ResourceConfig.InstanceGroups: "
        "the job has none"
    ]
