"""What the operations of KMS have in common: the key that is named, refusals as errors, pages."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sagestone.kms.key import Key
from sagestone.kms.refusal import KmsRefusal
from sagestone.operations.dependencies import Dependencies
from sagestone.shapes.violation import Violation, summary
from sagestone.wire.errors import AccessDeniedException, InternalFailure, ValidationException
from sagestone.wire.kms_errors import KMS_ERRORS, InvalidGrantTokenException, InvalidMarkerException

Item = TypeVar("Item")


@contextmanager
def kms_errors() -> Iterator[None]:
    """The key store's refusals as the errors of the service."""
    try:
        yield
    except KmsRefusal as refusal:
        raise KMS_ERRORS.get(refusal.code, InternalFailure)(refusal.message) from refusal


def named_key(deps: Dependencies, name: str) -> Key:
    """The key of any of its names; raises NotFoundException."""
    with kms_errors():
        return deps.vault.find(name)


def customer_key(deps: Dependencies, name: str, action: str) -> Key:
    """The key of an id or ARN, which may be changed: an alias cannot say which, and AWS's own keys stay as they are."""
    if "alias/" in name:
        raise ValidationException(f"{action} needs the id or ARN of a key; {name[:256]} is an alias")
    key = named_key(deps, name)
    if key.manager == "AWS":
        raise AccessDeniedException(f"{action}: {deps.vault.arn(key)} is a key of AWS's own, which nobody changes")
    return key


def refuse_grants(parameters: Mapping[str, Any]) -> None:
    """Grant tokens stand for grants, and there are none here."""
    if parameters.get("GrantTokens"):
        raise InvalidGrantTokenException("GrantTokens are not supported yet: there are no grants here; leave them out")


def page(
    items: Sequence[Item], names: Sequence[str], parameters: Mapping[str, Any], limit: int
) -> tuple[Sequence[Item], dict[str, Any]]:
    """The items (in the order of their `names`) after the Marker, `limit` unless asked otherwise, and what says so."""
    most = parameters.get("Limit") or limit
    marker = parameters.get("Marker")
    if marker is not None and not marker.startswith("after:"):
        raise InvalidMarkerException("The Marker is none that was given.")
    after = "" if marker is None else marker.removeprefix("after:")
    begin = next((at for at, name in enumerate(names) if name > after), len(items))
    shown = items[begin : begin + most]
    if begin + most >= len(items):
        return shown, {"Truncated": False}
    return shown, {"Truncated": True, "NextMarker": f"after:{names[begin + most - 1]}"}


def check_length(parameters: Mapping[str, Any], member: str, most: int) -> None:
    """The length of a blob, of which the service model's check does not speak."""
    length = len(parameters.get(member) or b"")
    constraint = None
    if length > most:
        constraint = f"Member must have length less than or equal to {most}"
    elif length < 1:
        constraint = "Member must have length greater than or equal to 1"
    if constraint is not None:
        path = member[:1].lower() + member[1:]
        raise ValidationException(summary([Violation(path=path, value="", constraint=constraint)]))
