"""What `sagestone explain` shows: the documents of a request, made by the same pure functions that serve it."""

from collections.abc import Mapping
from typing import Any

from sagestone.operations.own.explain import explain
from sagestone.settings import Settings


def explain_request(settings: Settings, request: Mapping[str, Any]) -> dict[str, Any]:
    """`documents` (title → document) and `violations` of a CreateAlgorithm request; nothing is executed."""
    return explain(settings, request)
