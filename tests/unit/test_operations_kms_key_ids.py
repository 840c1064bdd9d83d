"""KmsKeyId and VolumeKmsKeyId at creation: a key that can be used is taken by any name, others refused by the field."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.place import Place
from sagestone.kms.key import Key
from sagestone.operations.kms.key_ids import (
    KnownKeys,
    profile_key_violations,
    training_key_violations,
    transform_key_violations,
)
from sagestone.s3.client import write_all
from sagestone.s3.uri import S3Uri
from sagestone.wire.errors import ValidationException
from tests.unit.job_requests import by_image
from tests.unit.requests import JOB, TRANSFORM, changed
from tests.unit.served import Served

ARN = "arn:aws:kms:us-east-1:123456789012"
FIELDS = ("OutputDataConfig.KmsKeyId", "ResourceConfig.VolumeKmsKeyId")
TRANSFORM_FIELDS = ("TransformOutput.KmsKeyId", "TransformResources.VolumeKmsKeyId", "DataCaptureConfig.KmsKeyId")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    write_all(made.s3, S3Uri("data", "train/a.csv"), [b"1,2\n"])
    yield made
    made.store.close()


@pytest.fixture
def key(served: Served) -> Key:
    made = served.vault.create()
    served.vault.put_alias("alias/models", made)
    return made


def test_every_name_of_a_key_is_taken_and_given_back(served: Served, key: Key) -> None:
    names = (key.id, f"{ARN}:key/{key.id}", "alias/models", f"{ARN}:alias/models", "alias/aws/s3")
    for number, name in enumerate(names):
        request = by_image(("TrainingJobName", f"job-{number}"), *((field, name) for field in FIELDS))
        served.call("CreateTrainingJob", request)
        shown = served.sagemaker("DescribeTrainingJob", TrainingJobName=f"job-{number}")
        assert (shown["OutputDataConfig"]["KmsKeyId"], shown["ResourceConfig"]["VolumeKmsKeyId"]) == (name, name)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion", "none"])
def test_a_key_that_cannot_be_used_is_refused_by_its_field(served: Served, key: Key, field: str, state: Any) -> None:
    name = "alias/none" if state == "none" else "alias/models"
    if state != "none":
        served.vault.change(key, lambda known: replace(known, state=state))
    with pytest.raises(ValidationException) as caught:
        served.call("CreateTrainingJob", by_image((field, name)))
    path = ".".join(part[0].lower() + part[1:] for part in field.split("."))
    told = {
        "Disabled": f"DisabledException: {ARN}:key/{key.id} is disabled.",
        "PendingDeletion": f"KMSInvalidStateException: {ARN}:key/{key.id} is pending deletion.",
        "none": f"NotFoundException: Alias {ARN}:alias/none is not found.",
    }[state]
    assert caught.value.message == (
        f"1 validation error detected: Value '{name}' at '{path}' failed to satisfy constraint: Member must be a KMS "
        f"key that can be used: {told}"
    )


def test_the_profiles_of_an_algorithm_are_looked_at_too(served: Served, key: Key) -> None:
    fields = (
        f"{JOB}.OutputDataConfig.KmsKeyId", f"{JOB}.ResourceConfig.VolumeKmsKeyId",
        f"{TRANSFORM}.TransformOutput.KmsKeyId", f"{TRANSFORM}.TransformResources.VolumeKmsKeyId",
    )  # fmt: skip
    with pytest.raises(ValidationException) as caught:
        served.call("CreateAlgorithm", changed(*((field, "alias/none") for field in fields)))
    assert caught.value.message.startswith("4 validation errors detected: ")
    served.call("CreateAlgorithm", changed(*((field, "alias/models") for field in fields)))


def test_another_store_has_keys_of_its_own(served: Served) -> None:
    elsewhere = KnownKeys(vault=served.vault, objects_elsewhere=True)
    training = {"OutputDataConfig": {"KmsKeyId": "theirs"}, "ResourceConfig": {"VolumeKmsKeyId": "ours"}}
    assert [found.path for found in training_key_violations(Place(training), elsewhere)] == [
        "resourceConfig.volumeKmsKeyId"
    ]
    transform = {first: {second: "theirs"} for first, second in (field.split(".") for field in TRANSFORM_FIELDS)}
    paths = [found.path for found in transform_key_violations(Place(transform), elsewhere)]
    assert paths == ["transformResources.volumeKmsKeyId"]
    here = transform_key_violations(Place(transform), KnownKeys(vault=served.vault))
    assert len(list(here)) == 3


def test_where_no_volume_can_be_encrypted_its_key_is_refused(served: Served, key: Key) -> None:
    asked: list[str] = []

    def why() -> str:
        asked.append("asked")
        return "only root may mount them: run the service as root"

    without = KnownKeys(vault=served.vault, no_volumes=why)
    training = {"OutputDataConfig": {"KmsKeyId": key.id}, "ResourceConfig": {"VolumeKmsKeyId": ""}}
    assert list(training_key_violations(Place(training), without)) == []
    assert list(transform_key_violations(Place({"TransformResources": {"VolumeKmsKeyId": "none"}}), without)) != []
    assert asked == []  # it may take a moment: only for a key that would be used
    (found,) = transform_key_violations(Place({"TransformResources": {"VolumeKmsKeyId": key.id}}), without)
    assert found.text == (
        f"Value '{key.id}' at 'transformResources.volumeKmsKeyId' failed to satisfy constraint: Member must be empty: "
        "no volume can be encrypted on this machine: only root may mount them: run the service as root"
    )
    profile = {"TrainingJobDefinition": {"ResourceConfig": {"VolumeKmsKeyId": key.id}}}
    request = {"ValidationSpecification": {"ValidationProfiles": [profile]}}
    assert [each.path for each in profile_key_violations(request, without)] == [
        "validationSpecification.validationProfiles.1.member.trainingJobDefinition.resourceConfig.volumeKmsKeyId"
    ]
