"""Rules of a training job's output, instances and stopping condition."""

import pytest

from tests.unit.requests import JOB, LEFT_OUT, PROFILE, TRAINING, texts

FAILED = "failed to satisfy constraint"
PLACE = "validationSpecification.validationProfiles.1.member.trainingJobDefinition"
RESOURCES = f"{JOB}.ResourceConfig"
STOPPING = f"{JOB}.StoppingCondition"
LATER = "Member is not supported yet"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            f"{JOB}.OutputDataConfig.CompressionType",
            "NONE",
            f"Value 'NONE' at '{PLACE}.outputDataConfig.compressionType' {FAILED}: Member must be GZIP: the profile's "
            "transform reads the archive model.tar.gz",
        ),
        (
            f"{RESOURCES}.InstanceType",
            "ml.c5.xlarge",
            f"Value 'ml.c5.xlarge' at '{PLACE}.resourceConfig.instanceType' {FAILED}: Member must be one of "
            "SupportedTrainingInstanceTypes: [ml.m5.large, ml.m5.xlarge, ml.g5.xlarge]",
        ),
        (
            f"{RESOURCES}.InstanceType",
            LEFT_OUT,
            f"Value null at '{PLACE}.resourceConfig.instanceType' {FAILED}: Member must not be null: a training job "
            "needs an instance type",
        ),
        (
            f"{RESOURCES}.InstanceCount",
            0,
            f"Value '0' at '{PLACE}.resourceConfig.instanceCount' {FAILED}: Member must have value greater than or "
            "equal to 1: a training job needs an instance",
        ),
        (
            f"{RESOURCES}.InstanceCount",
            1001,
            f"Value '1001' at '{PLACE}.resourceConfig.instanceCount' {FAILED}: Member must have value less than or "
            "equal to 1000",
        ),
        (
            f"{RESOURCES}.TrainingPlanArn",
            "arn:aws:sagemaker:us-east-1:123456789012:training-plan/p",
            f"Value 'arn:aws:sagemaker:us-east-1:123456789012:training-plan/p' at '{PLACE}.resourceConfig."
            f"trainingPlanArn' {FAILED}: {LATER}: there are no training plans here",
        ),
        (
            f"{STOPPING}.MaxRuntimeInSeconds",
            2419201,
            f"Value '2419201' at '{PLACE}.stoppingCondition.maxRuntimeInSeconds' {FAILED}: Member must have value less "
            "than or equal to 2419200",
        ),
        (
            f"{STOPPING}.MaxWaitTimeInSeconds",
            599,
            f"Value '599' at '{PLACE}.stoppingCondition.maxWaitTimeInSeconds' {FAILED}: Member must be greater than or "
            "equal to MaxRuntimeInSeconds, which is 600",
        ),
        (
            STOPPING,
            {"MaxWaitTimeInSeconds": 100},
            f"Value '100' at '{PLACE}.stoppingCondition.maxWaitTimeInSeconds' {FAILED}: Member must be greater than or "
            "equal to MaxRuntimeInSeconds, which is 86400, its default",
        ),
    ],
)
def test_refused_with_its_own_message(path: str, value: object, expected: str) -> None:
    assert texts((path, value)) == [expected]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{JOB}.OutputDataConfig.KmsKeyId", ""),
        (f"{JOB}.OutputDataConfig.KmsKeyId", "alias/key"),
        (f"{RESOURCES}.VolumeKmsKeyId", "alias/key"),
        (f"{JOB}.OutputDataConfig.CompressionType", "GZIP"),
        (f"{RESOURCES}.VolumeKmsKeyId", ""),
        (f"{RESOURCES}.VolumeSizeInGB", LEFT_OUT),
        (f"{RESOURCES}.KeepAlivePeriodInSeconds", 60),
        (f"{RESOURCES}.InstanceGroups", []),
        (f"{RESOURCES}.InstanceCount", 2),
        (f"{STOPPING}.MaxWaitTimeInSeconds", 600),
        (f"{STOPPING}.MaxPendingTimeInSeconds", 7200),
        (STOPPING, {}),
    ],
)
def test_accepted_as_the_service_accepts_it(path: str, value: object) -> None:
    assert texts((path, value)) == []


def test_local_storage_has_no_key_at_all() -> None:
    changes = ((f"{RESOURCES}.InstanceType", "ml.g5.xlarge"), (f"{RESOURCES}.VolumeKmsKeyId", "alias/key"))
    assert texts(*changes) == [
        f"Value 'alias/key' at '{PLACE}.resourceConfig.volumeKmsKeyId' {FAILED}: Member must be empty: ml.g5.xlarge "
        "keeps its data on local storage, which has no key"
    ]


def test_several_instances_need_a_specification_that_says_so() -> None:
    changes = ((f"{TRAINING}.SupportsDistributedTraining", LEFT_OUT), (f"{RESOURCES}.InstanceCount", 2))
    assert texts(*changes) == [
        f"Value '2' at '{PLACE}.resourceConfig.instanceCount' {FAILED}: Member must be 1: the specification does not "
        "say SupportsDistributedTraining"
    ]


def test_an_instance_type_of_unknown_size_is_refused() -> None:
    kind = "ml.x99.large"
    expected = (
        f"Value '{kind}' at '{PLACE}.resourceConfig.instanceType' {FAILED}: {LATER}: the size of {kind} is not known "
        "here; choose a type of the catalogue, such as ml.m5.large"
    )
    changes = ((f"{TRAINING}.SupportedTrainingInstanceTypes", [kind]), (f"{RESOURCES}.InstanceType", kind))
    assert texts(*changes) == [expected]


def test_uncompressed_models_are_fine_without_a_transform() -> None:
    changes = ((f"{PROFILE}.TransformJobDefinition", LEFT_OUT), (f"{JOB}.OutputDataConfig.CompressionType", "NONE"))
    assert texts(*changes) == []
