"""The plan of a validation: the jobs that a profile becomes."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.channel import Channel
from sagestone.domain.metric import MetricDefinition
from sagestone.domain.plan.algorithm import job_name, plan_validation
from sagestone.domain.plan.validation_plan import ValidationPlan
from tests.unit.requests import DIGEST, JOB, LEFT_OUT, PROFILE, TRAINING, TRANSFORM, changed
from tests.unit.served import DEPLOYMENT

NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


def plan(*changes: tuple[str, Any]) -> ValidationPlan | None:
    return plan_validation(
        changed(*changes),
        deployment=DEPLOYMENT,
        training_image_digest=DIGEST,
        container_image_digests=("sha256:" + "7a" * 32,),
        suffix="12345678",
    )


def test_the_training_job_has_defaults_filled_in() -> None:
    made = plan((f"{JOB}.StoppingCondition", {}), (f"{JOB}.ResourceConfig.VolumeSizeInGB", LEFT_OUT))
    assert made is not None
    job = made.training
    assert job.key == "training/trees-first-12345678"
    assert job.arn == "arn:aws:sagemaker:us-east-1:123456789012:training-job/trees-first-12345678"
    assert job.role_arn == "arn:aws:iam::123456789012:role/Validation"
    assert job.hyperparameters == {"depth": "3", "rate": "0.5"}
    assert job.channels == (
        Channel(
            name="train",
            s3_data_type="S3Prefix",
            s3_uri="s3://data/train/",
            distribution="FullyReplicated",
            input_mode="File",
            content_type="text/csv",
        ),
    )
    assert job.metric_definitions == (MetricDefinition(name="validation:accuracy", regex="accuracy: ([0-9.]+)"),)
    assert (job.max_runtime_seconds, job.volume_gb, job.isolated) == (86400, 0, True)
    assert job.image.digest == DIGEST


def test_groups_are_instances_numbered_through() -> None:
    groups = [
        {"InstanceGroupName": "data", "InstanceType": "ml.m5.large", "InstanceCount": 1},
        {"InstanceGroupName": "training", "InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
    ]
    names = f"{JOB}.InputDataConfig.0.DataSource.S3DataSource.InstanceGroupNames"
    made = plan((f"{JOB}.ResourceConfig", {"InstanceGroups": groups, "VolumeSizeInGB": 1}), (names, ["training"]))
    assert made is not None
    assert made.training.instance_types == ("ml.m5.large", "ml.m5.xlarge", "ml.m5.xlarge")
    assert made.training.instance_count == 3
    assert [group.name for group in made.training.groups] == ["data", "training"]
    assert made.training.channels[0].instance_groups == ("training",)


def test_the_transform_serves_what_was_trained() -> None:
    made = plan((f"{TRANSFORM}.Environment", {"A": "1"}), (f"{TRANSFORM}.MaxConcurrentTransforms", 0))
    assert made is not None
    job = made.transform
    assert job is not None
    (container,) = job.containers
    assert container.model_uri == made.training.artifact_uri
    assert container.image.digest == "sha256:" + "7a" * 32
    assert (container.environment, job.environment) == ({"WORKERS": "2"}, {"A": "1"})
    assert (job.split_type, job.assemble_with, job.max_payload_mb) == ("Line", "Line", 6)
    assert job.max_concurrent_transforms is None  # 0 leaves it to the container


def test_a_container_may_bring_its_own_model() -> None:
    made = plan(("InferenceSpecification.Containers.0.ModelDataUrl", "s3://data/other.tar.gz"))
    assert made is not None
    assert made.transform is not None
    assert made.transform.containers[0].model_uri == "s3://data/other.tar.gz"


def test_no_validation_no_plan_and_no_definition_no_transform() -> None:
    assert plan(("ValidationSpecification", LEFT_OUT)) is None
    made = plan((f"{PROFILE}.TransformJobDefinition", LEFT_OUT))
    assert made is not None
    assert made.transform is None


def test_the_request_of_the_job_names_the_algorithm() -> None:
    made = plan((f"{TRAINING}.SupportedHyperParameters", LEFT_OUT))
    assert made is not None
    assert made.training.request["AlgorithmSpecification"] == {
        "AlgorithmName": "arn:aws:sagemaker:us-east-1:123456789012:algorithm/trees",
        "TrainingInputMode": "File",
    }


names = st.from_regex(NAME, fullmatch=True)


@given(algorithm=names, profile=names, suffix=st.from_regex(r"[0-9a-f]{8}", fullmatch=True))
def test_job_names_are_names(algorithm: str, profile: str, suffix: str) -> None:
    name = job_name(algorithm, profile, suffix)
    assert re.fullmatch(NAME, name)
    assert name.startswith(algorithm[:40])
    assert name.endswith(f"-{suffix}")
