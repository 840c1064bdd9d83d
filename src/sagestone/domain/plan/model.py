"""Turns the containers of an InferenceSpecification into the model that a validation serves."""

from collections.abc import Mapping, Sequence
from typing import Any

from sagestone.domain.image import ImageReference
from sagestone.domain.model import Model
from sagestone.domain.names import Deployment
from sagestone.domain.transform_job import ModelContainer

Members = Mapping[str, Any]

#: Members of a specification's container that a container of CreateModel has too.
_SHARED = ("ContainerHostname", "Image", "ModelDataUrl", "Environment")


def plan_model(
    containers: Sequence[Members],
    digests: Sequence[str | None],
    *,
    name: str,
    role_arn: str,
    deployment: Deployment,
    artifact: str | None = None,
) -> Model:
    """The model as CreateModel would keep it; it is isolated, as validations are.

    `digests` stand in the order of the containers; `artifact` is served by those that bring no ModelDataUrl. Its
    creation time is set when it is created.
    """
    served = tuple(
        model_container(container, digest, artifact) for container, digest in zip(containers, digests, strict=True)
    )
    shown = [
        {
            member: value
            for member, value in {"ModelDataUrl": artifact, **container}.items()
            if member in _SHARED and value
        }
        for container in containers
    ]
    return Model(
        name=name,
        arn=deployment.arn("model", name),
        created_at=0.0,
        request={
            "ModelName": name,
            **({"PrimaryContainer": shown[0]} if len(shown) == 1 else {"Containers": shown}),
            "ExecutionRoleArn": role_arn,
            "EnableNetworkIsolation": True,
        },
        containers=served,
    )


def model_container(
    given: Members, digest: str | None, artifact: str | None = None, environment: Members | None = None
) -> ModelContainer:
    """A container as it will run; `environment` wins over its own."""
    return ModelContainer(
        image=ImageReference(uri=given["Image"], digest=digest or ""),
        hostname=given.get("ContainerHostname") or None,
        environment={**(given.get("Environment") or {}), **(environment or {})},
        model_uri=given.get("ModelDataUrl") or artifact,
    )
