"""Policies in IAM's form, as far as they are honoured; everything else in a document is refused, never ignored.

A document has `Version` ("2012-10-17") and `Statement`: one or a list of `Effect` (Allow or Deny), `Action` and
`Resource` (a text or a list, with `*` and `?`), and perhaps a `Sid`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, cast

VERSION: Final = "2012-10-17"
#: Characters of a document, as the longest managed policy of AWS.
LONGEST: Final = 6144
#: Characters of an action or resource that is remembered compiled, as nearly all are.
SHORT: Final = 256

Effect = Literal["Allow", "Deny"]

_STATEMENT = ("Sid", "Effect", "Action", "Resource")
_ACTION = re.compile(r"\*|[a-zA-Z0-9*?-]+:[a-zA-Z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:[^:\s]*:[^:\s]*:[^:\s]*:[^:\s]*:\S+")
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


class BadPolicy(Exception):
    """A policy that is refused; the text names the place and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One rule: its effect on the actions and resources that its patterns match."""

    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def covers(self, action: str, resource: str) -> bool:
        """Whether it speaks of this action (`s3:GetObject`, in any case) on this resource (an ARN, or "*")."""
        return any(_pattern(each, False).fullmatch(action) for each in self.actions) and any(
            _pattern(each, True).fullmatch(resource) for each in self.resources
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A named list of statements."""

    name: str
    statements: tuple[Statement, ...]

    def says(self, effect: Effect, action: str, resource: str) -> bool:
        """Whether one of its statements has that effect on this action and resource."""
        return any(each.effect == effect and each.covers(action, resource) for each in self.statements)


def read_policy(name: str, document: Any) -> Policy:
    """The policy of a JSON document; raises BadPolicy."""
    if not _NAME.fullmatch(name):
        raise BadPolicy(f"{name!r} is no name of a policy: letters, digits and _+=,.@- are allowed, 128 at most")
    if not isinstance(document, Mapping):
        raise BadPolicy("a policy is a JSON object with Version and Statement")
    _only(document, ("Version", "Statement"), "the document", "")
    if document.get("Version") != VERSION:
        raise BadPolicy(f'Version must be "{VERSION}", not {document.get("Version")!r}')
    given = document.get("Statement")
    entries: list[Any] = given if isinstance(given, list) else [given]
    if not entries:
        raise BadPolicy("Statement must not be empty")
    statements = tuple(_statement(entry, f"Statement {number}") for number, entry in enumerate(entries, start=1))
    names = [entry["Sid"] for entry in entries if "Sid" in entry]
    if len(set(names)) < len(names):
        raise BadPolicy("each Sid must be used once")
    return Policy(name=name, statements=statements)


def _statement(entry: Any, where: str) -> Statement:
    if not isinstance(entry, Mapping):
        raise BadPolicy(f"{where} must be an object with Effect, Action and Resource")
    _only(entry, _STATEMENT, where, ", so it would have to be ignored")
    if entry.get("Effect") not in ("Allow", "Deny"):
        raise BadPolicy(f"{where}: Effect must be Allow or Deny, not {entry.get('Effect')!r}")
    if not isinstance(entry.get("Sid", ""), str):
        raise BadPolicy(f"{where}: Sid must be a text")
    actions = tuple(_texts(entry, "Action", where))
    for action in actions:
        if not _ACTION.fullmatch(action):
            raise BadPolicy(f"{where}: the Action {action!r} is not of the form SERVICE:OPERATION, such as s3:Get*")
    resources = tuple(_texts(entry, "Resource", where))
    for resource in resources:
        if "${" in resource:
            raise BadPolicy(f"{where}: the Resource {resource!r} has a policy variable, which is not supported yet")
        if not _RESOURCE.fullmatch(resource):
            raise BadPolicy(f'{where}: the Resource {resource!r} is neither "*" nor an ARN')
    return Statement(effect=cast(Effect, entry["Effect"]), actions=actions, resources=resources)


def _texts(entry: Mapping[str, Any], member: str, where: str) -> Iterator[str]:
    given = entry.get(member)
    texts: list[Any] = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise BadPolicy(f"{where}: {member} must be a text or a list of texts")
    yield from texts


def _only(found: Mapping[str, Any], known: tuple[str, ...], where: str, why: str) -> None:
    for name in found:
        if name not in known:
            raise BadPolicy(f"{where} has {name!r}, which is not supported yet{why}; known are {', '.join(known)}")


def _pattern(text: str, case: bool) -> Any:
    """Compiled, with `fullmatch`. What was compiled takes twenty times the memory of its text, which a stranger may
    have written: of long ones few are remembered."""
    return _compiled(text, case) if len(text) <= SHORT else _compiled_anew(text, case)


@lru_cache(maxsize=1024)
def _compiled(text: str, case: bool) -> re.Pattern[str]:
    return re.compile(_expression(text), re.DOTALL if case else re.DOTALL | re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=16)
def _compiled_anew(text: str, case: bool) -> Any:
    import regex  # type: ignore[import-untyped]  # `re` would remember 512 of any size

    flags = regex.DOTALL if case else regex.DOTALL | regex.IGNORECASE | regex.ASCII
    return regex.compile(_expression(text), flags, cache_pattern=False)


def _expression(text: str) -> str:
    """`*` stands for any characters, `?` for one. Runs of `*` are one, and no pattern is tried twice at a place."""
    pieces = [re.escape(piece).replace(r"\?", ".") for piece in re.split(r"\*+", text)]
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
    return pieces[0] if len(pieces) == 1 else f"{pieces[0]}{middle}.*{pieces[-1]}"
