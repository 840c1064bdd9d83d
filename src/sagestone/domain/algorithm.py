"""An algorithm resource: the specification as given, the images it is pinned to, and how its validation stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sagestone.domain.plan.validation_plan import ValidationPlan

AlgorithmStatus = Literal["Pending", "InProgress", "Completed", "Failed", "Deleting"]
ItemStatus = Literal["NotStarted", "InProgress", "Completed", "Failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusItem:
    """One entry of ValidationStatuses (shape AlgorithmStatusItem); its name is the profile's."""

    name: str
    status: ItemStatus = "NotStarted"
    failure_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A registered algorithm. `request` holds the CreateAlgorithm members as stored (no Tags).

    The digests stand in the order of the images: the training image, then `InferenceSpecification.Containers[]`
    (None where a container names no image). Only `domain.transition` makes one with another status.
    """

    name: str
    arn: str
    created_at: float
    request: Mapping[str, Any]
    training_image_digest: str
    container_image_digests: tuple[str | None, ...] = ()
    status: AlgorithmStatus = "Pending"
    validation: StatusItem | None = None
    plan: ValidationPlan | None = None
