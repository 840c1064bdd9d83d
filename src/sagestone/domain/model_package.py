"""Model packages: a model's containers ready to be used again, alone or as the versions of a group."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagestone.domain.algorithm import AlgorithmStatus, StatusItem
from sagestone.domain.plan.validation_plan import PackagePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackageGroup:
    """A group of versions. `last_version` counts all that were ever made: a number is never given twice."""

    name: str
    arn: str
    created_at: float
    description: str | None = None
    last_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackage:
    """A model package. Only `domain.transition` makes one with another status or approval.

    `name` is what it is kept under: the package's own, or `<group>/<version>`. `request` holds the CreateModelPackage
    members as stored and updated since (no Tags, no ClientToken); every container that names an image carries its
    ImageDigest, and a package of an algorithm has the algorithm's InferenceSpecification with its own artifact.
    """

    name: str
    arn: str
    created_at: float
    modified_at: float
    request: Mapping[str, Any]
    group: str | None = None
    version: int | None = None
    client_token: str | None = None  # of the request that made it: the same one again is the same request
    status: AlgorithmStatus = "Pending"
    validation: StatusItem | None = None
    plan: PackagePlan | None = None

    @property
    def approval(self) -> str | None:
        """ModelApprovalStatus."""
        given = self.request.get("ModelApprovalStatus")
        return None if given is None else str(given)
