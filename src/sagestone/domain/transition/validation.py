"""How an algorithm and a model package move: alike, with the item of their validation profile beside them."""

from dataclasses import replace
from typing import TypeVar

from sagestone.domain.algorithm import Algorithm, AlgorithmStatus
from sagestone.domain.model_package import ModelPackage
from sagestone.domain.transition.rules import ITEM_STATUS, TransitionRefused, check_algorithm_move

Validated = TypeVar("Validated", Algorithm, ModelPackage)


def begin_validation(resource: Validated) -> Validated:
    """Pending → InProgress, the item with it."""
    return _move(resource, "InProgress")


def complete_validation(resource: Validated) -> Validated:
    """InProgress → Completed, the item with it."""
    return _move(resource, "Completed")


def fail_validation(resource: Validated, reason: str) -> Validated:
    """InProgress → Failed; the item says why."""
    failed = _move(resource, "Failed")
    if failed.validation is None:
        return failed
    return replace(failed, validation=replace(failed.validation, failure_reason=reason))


def request_delete(resource: Validated) -> Validated:
    """Completed or Failed → Deleting; raises TransitionRefused in the service's words otherwise (seen by Terraform)."""
    if resource.status not in ("Completed", "Failed"):
        kind = "Algorithm" if isinstance(resource, Algorithm) else "ModelPackage"
        raise TransitionRefused(f"Cannot delete {kind} in {resource.status} status", resource.status)
    return _move(resource, "Deleting")


def approve(package: ModelPackage, status: str, at: float) -> ModelPackage:
    """Any ModelApprovalStatus may follow any other."""
    return replace(package, request={**package.request, "ModelApprovalStatus": status}, modified_at=at)


def _move(resource: Validated, status: AlgorithmStatus) -> Validated:
    check_algorithm_move(resource.name, resource.status, status)
    item = resource.validation
    if item is not None and status in ITEM_STATUS:
        item = replace(item, status=ITEM_STATUS[status])
    return replace(resource, status=status, validation=item)
