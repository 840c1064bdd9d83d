"""The smallest documents of each kind, for tests that are about what happens to them."""

from collections.abc import Sequence
from typing import Any

from sagestone.domain.algorithm import Algorithm, StatusItem
from sagestone.domain.event import InstanceEvent, Outcome, Stage
from sagestone.domain.image import ImageReference
from sagestone.domain.metric import MetricDefinition, MetricPoint
from sagestone.domain.model import Model
from sagestone.domain.model_package import ModelPackage, ModelPackageGroup
from sagestone.domain.names import Deployment
from sagestone.domain.plan.validation_plan import PackagePlan, ValidationPlan
from sagestone.domain.training_job import TrainingJobSpec
from sagestone.domain.transform_job import ModelContainer, TransformJobSpec

DEPLOYMENT = Deployment(partition="aws", region="eu-central-1", account="123456789012")
IMAGE = ImageReference(uri="example:1", digest="sha256:" + "1" * 64)
ROLE = "arn:aws:iam::123456789012:role/r"


def training_spec(
    name: str = "job",
    *,
    instances: int = 1,
    instance_type: str = "ml.m5.large",
    metrics: Sequence[str] = (),
    max_runtime_seconds: int = 3600,
    **fields: Any,
) -> TrainingJobSpec:
    """A training job without channels."""
    return TrainingJobSpec(
        name=name,
        arn=DEPLOYMENT.arn("training-job", name),
        role_arn=ROLE,
        image=IMAGE,
        metric_definitions=tuple(MetricDefinition(name=metric, regex=f"{metric}=(.*?);") for metric in metrics),
        output_uri="s3://bucket/out",
        instance_type=instance_type,
        instance_count=instances,
        max_runtime_seconds=max_runtime_seconds,
        **fields,
    )


def transform_spec(name: str = "job", *, instances: int = 1) -> TransformJobSpec:
    """A transform job of one prefix."""
    return TransformJobSpec(
        name=name,
        arn=DEPLOYMENT.arn("transform-job", name),
        role_arn=ROLE,
        model_name=name,
        containers=(ModelContainer(image=IMAGE, model_uri="s3://bucket/out/job/output/model.tar.gz"),),
        s3_uri="s3://bucket/batch",
        output_uri="s3://bucket/predictions",
        instance_type="ml.m5.large",
        instance_count=instances,
    )


def algorithm(name: str = "algorithm", *, plan: ValidationPlan | None = None, created_at: float = 1000.0) -> Algorithm:
    """A Pending algorithm, with a validation item where there is a plan."""
    return Algorithm(
        name=name,
        arn=DEPLOYMENT.arn("algorithm", name),
        created_at=created_at,
        request={"AlgorithmName": name, "AlgorithmDescription": f"about {name}"},
        training_image_digest=IMAGE.digest,
        validation=StatusItem(name=plan.profile_name) if plan else None,
        plan=plan,
    )


def model(name: str = "model", *, created_at: float = 1000.0) -> Model:
    """A model of one container with an archive."""
    return Model(
        name=name,
        arn=DEPLOYMENT.arn("model", name),
        created_at=created_at,
        request={"ModelName": name, "PrimaryContainer": {"Image": IMAGE.uri}},
        containers=(ModelContainer(image=IMAGE, model_uri="s3://bucket/model.tar.gz", environment={"A": "1"}),),
    )


def group(name: str = "group") -> ModelPackageGroup:
    """A group of model packages."""
    return ModelPackageGroup(name=name, arn=DEPLOYMENT.arn("model-package-group", name), created_at=1000.0)


def package(
    name: str = "package", *, group: str | None = None, approval: str | None = None, plan: PackagePlan | None = None
) -> ModelPackage:
    """A Pending model package, `NAME` or `GROUP/VERSION`, with a validation item where there is a plan."""
    return ModelPackage(
        name=name,
        arn=DEPLOYMENT.arn("model-package", name),
        created_at=1000.0,
        modified_at=1000.0,
        request={"ModelApprovalStatus": approval} if approval else {},
        group=group,
        version=int(name.partition("/")[2]) if group else None,
        validation=StatusItem(name=plan.profile_name) if plan else None,
        plan=plan,
    )


def package_plan(name: str = "job") -> PackagePlan:
    """A validation by a model and a transform job."""
    return PackagePlan(profile_name="profile", model=model(name), transform=transform_spec(name))


def plan(name: str = "job", *, transform: bool = True, instances: int = 1) -> ValidationPlan:
    """A validation by a training job and, unless told otherwise, a transform job."""
    return ValidationPlan(
        profile_name="profile",
        training=training_spec(name, instances=instances),
        model=model(name) if transform else None,
        transform=transform_spec(name, instances=instances) if transform else None,
    )


def event(
    job: str,
    seq: int,
    at: float,
    *,
    instance: int = 1,
    stage: Stage | None = None,
    message: str = "",
    metrics: Sequence[MetricPoint] = (),
    outcome: Outcome | None = None,
) -> InstanceEvent:
    """One event, with as little as the test has to say."""
    return InstanceEvent(
        job=job,
        instance=instance,
        seq=seq,
        at=at,
        stage=stage,
        message=message,
        metrics=tuple(metrics),
        outcome=outcome,
    )
