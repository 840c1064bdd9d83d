"""A model resource: the containers that serve, pinned to the images they were created with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagestone.domain.transform_job import ModelContainer


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model as it was created; it never changes. `request` holds the CreateModel members as stored (no Tags).

    `containers` stand in the order in which they serve, one after the other.
    """

    name: str
    arn: str
    created_at: float
    request: Mapping[str, Any]
    containers: tuple[ModelContainer, ...]

    @property
    def role_arn(self) -> str:
        """The role that its jobs show; "" where the request named none."""
        return str(self.request.get("ExecutionRoleArn") or "")
