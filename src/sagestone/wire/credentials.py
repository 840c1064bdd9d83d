"""The keys that may sign requests to this service: generated on first start, kept in `<home>/credentials.json`."""

import hashlib
import hmac
import json
import os
import secrets
import string
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "credentials.json"


class BadCredentials(Exception):
    """A credentials file that cannot be used; the text names it and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """One access key of one account."""

    access_key: str
    secret_key: str
    account: str

    def __repr__(self) -> str:
        """Without the secret, so that it never reaches a log."""
        return f"Credentials(access_key={self.access_key!r}, account={self.account!r})"


class CredentialBook:
    """All keys that are known; `default` is the one that `sagestone env` prints."""

    def __init__(self, credentials: Iterable[Credentials]) -> None:
        self._by_key = {each.access_key: each for each in credentials}
        if not self._by_key:
            raise BadCredentials("There must be at least one access key.")

    @classmethod
    def open(cls, home: Path, account: str) -> "CredentialBook":
        """The keys in `<home>/credentials.json`; makes home and file (mode 0600, one key of `account`) on the first
        call. Two processes that start at once end up with the same keys. Raises BadCredentials for a file that
        cannot be used."""
        path = home / FILE_NAME
        if not path.exists():
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            _create(path, [_generate(account)])
        return cls(_read(path))

    @property
    def default(self) -> Credentials:
        return next(iter(self._by_key.values()))

    def seal_key(self, purpose: str) -> str:
        """A key for seals of one purpose, made from the default secret key; it says nothing about that."""
        return hmac.new(self.default.secret_key.encode(), f"seal {purpose}".encode(), hashlib.sha256).hexdigest()

    def find(self, access_key: str) -> Credentials | None:
        """The credentials of an access key; None if it is not known."""
        return self._by_key.get(access_key)


def _read(path: Path) -> list[Credentials]:
    try:
        entries = json.loads(path.read_text())["credentials"]
        if not entries:
            raise ValueError("it holds no keys")
        return [Credentials(**{name: str(value) for name, value in entry.items()}) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadCredentials(
            f'{path} cannot be used ({problem}). It holds {{"credentials": [{{"access_key", "secret_key", '
            f'"account"}}]}}; remove it to have new keys generated.'
        ) from problem


def _generate(account: str) -> Credentials:
    """Keys of the usual form: `AKIA` and 16 of A-Z2-7, a secret of 40 characters."""
    letters = string.ascii_uppercase + "234567"
    key = "AKIA" + "".join(secrets.choice(letters) for _ in range(16))
    return Credentials(access_key=key, secret_key=secrets.token_urlsafe(30), account=account)


def _create(path: Path, credentials: list[Credentials]) -> None:
    """Written beside its place, flushed, then linked into it: whole or not there, and the first writer wins."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=".credentials-")
    try:
        with os.fdopen(descriptor, "w") as file:  # mkstemp makes it 0600
            json.dump({"credentials": [asdict(each) for each in credentials]}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    finally:
        Path(beside).unlink()
