"""`credentials.json`: readable by its owner alone, read whole, changed by replacing it, one change at a time."""

import fcntl
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from sagestone.domain.policy import BadPolicy, read_policy
from sagestone.domain.principal import FIRST_USER
from sagestone.durable import whole_file
from sagestone.wire.access_document import AccessDocument, Account, AttachedPolicy, Credentials, User, new_key

FILE_NAME = "credentials.json"
_LOCK_NAME = "credentials.lock"

Entry = TypeVar("Entry", Credentials, Account, User, AttachedPolicy)


class BadCredentials(Exception):
    """A credentials file that cannot be used; the text names it and what to do."""


def read_access(path: Path) -> AccessDocument:
    """What the file says; raises BadCredentials."""
    try:
        content = json.loads(path.read_text())
        unknown = sorted(set(content) - {field.name for field in fields(AccessDocument)})
        if unknown:
            raise ValueError(f"it holds {', '.join(unknown)}")
        document = AccessDocument(
            credentials=_entries(content["credentials"], Credentials),
            seal=str(content.get("seal", "")),
            accounts=_entries(content.get("accounts", ()), Account),
            users=_entries(content.get("users", ()), User),
            policies=_entries(content.get("policies", ()), AttachedPolicy),
        )
        if not document.credentials:
            raise ValueError("it holds no keys")
        for policy in document.policies:
            read_policy(policy.name, policy.document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, BadPolicy) as problem:
        raise BadCredentials(
            f'{path} cannot be used ({problem}). It holds {{"credentials": [{{"access_key", "secret_key", '
            f'"account"}}]}}; remove it to have new keys generated.'
        ) from problem
    return document


def create_access(path: Path, account: str) -> None:
    """Make the file with one key of the account's first user, and its directory; the first of several writers wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = new_key(account, FIRST_USER, round(time.time(), 3))
    with suppress(FileExistsError):
        _write(path, AccessDocument(credentials=(key,), seal=secrets.token_urlsafe(32)), new=True)


def change_access(home: Path, change: Callable[[AccessDocument], AccessDocument]) -> AccessDocument:
    """Change the file of a home, whole or not at all; what it holds afterwards. A running service follows.

    Two who change at once take turns. Raises BadCredentials, and what `change` raises; then nothing was changed.
    """
    path = home / FILE_NAME
    with (home / _LOCK_NAME).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = read_access(path)
        after = change(before)
        if not after.seal:  # of an older version: it was the first secret key, which may be given up now
            after = replace(after, seal=secrets.token_urlsafe(32))
        if after != before:
            _write(path, after)
    return after


def _entries(content: Any, kind: type[Entry]) -> tuple[Entry, ...]:
    known = {field.name for field in fields(kind)}
    for entry in content:
        unknown = sorted(set(entry) - known)
        if unknown:
            raise ValueError(f"an entry of {kind.__name__} holds {', '.join(unknown)}")
    return tuple(msgspec.convert(list(content), list[kind]))  # type: ignore[valid-type]


def _write(path: Path, document: AccessDocument, *, new: bool = False) -> None:
    with whole_file(path, new=new) as file:
        file.write(json.dumps(asdict(document), indent=2).encode())
