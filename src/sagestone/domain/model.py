"""A model resource: the containers that serve, pinned to the images they were created with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagestone.domain.transform_job import ModelContainer


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingLimits:
    """What the model package that a model was made of supports; an empty list declares nothing."""

    transform_instance_types: tuple[str, ...] = ()
    content_types: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model as it was created; it never changes. `request` holds the CreateModel members as stored (no Tags).

    `containers` stand in the order in which they serve, one after the other; `limits` are those of the one package
    that it was made of.
    """

    name: str
    arn: str
    created_at: float
    request: Mapping[str, Any]
    containers: tuple[ModelContainer, ...]
    limits: ServingLimits | None = None

    @property
    def role_arn(self) -> str:
        """The role that its jobs show; "" where the request named none."""
        return str(self.request.get("ExecutionRoleArn") or "")
