"""Reads a CreateAlgorithm request from a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from sagestone.cli.exits import USAGE, leave


def read_request(spec: Path) -> dict[str, Any]:
    """The CreateAlgorithm request in a file (JSON in UTF-8); leaves with exit code 2 when it is none.

    A member that stands there twice is refused: readers differ in which of the two they take.
    """
    try:
        request = json.loads(
            spec.read_text(encoding="utf-8-sig"), object_pairs_hook=_members, parse_constant=_refuse_constant
        )
    except OSError as error:
        leave(USAGE, f"{spec} cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        leave(USAGE, f"{spec} is not UTF-8: {error.reason} at byte {error.start}")
    except RecursionError:
        leave(USAGE, f"{spec} is nested too deeply for a request")
    except ValueError as error:  # also a number of too many digits
        leave(USAGE, f"{spec} is not JSON: {error}")
    if not isinstance(request, dict):
        leave(USAGE, f"{spec} holds {type(request).__name__}, expected an object with CreateAlgorithm's members")
    return request


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} stands twice in one object")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
