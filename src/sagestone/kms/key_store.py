"""Keys and aliases on disk: a JSON document for each key, its material sealed by the root key, and one for all aliases.

A change is on disk when its call returns; who reads meanwhile, an agent say, finds the old document or the new.
"""

import fcntl
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from sagestone.durable import sync_directory, whole_file
from sagestone.kms.key import Alias, Key
from sagestone.kms.refusal import KmsRefusal
from sagestone.kms.seal import KEY_BYTES, BadSeal, derived_key, seal, unseal

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_key = msgspec.json.Decoder(Key)
_aliases = msgspec.json.Decoder(list[Alias])

Outcome = TypeVar("Outcome")


class KeyStore:
    """The keys of a directory, of all accounts. Calls may come from any thread, and from several processes."""

    def __init__(self, directory: Path, root_key: bytes) -> None:
        self._directory = directory
        self._root_key = root_key
        self._alias_file = directory / "aliases.json"

    def add(self, key: Key) -> Key:
        """Keep a new key with fresh material."""
        sealed = seal(self._root_key, secrets.token_bytes(KEY_BYTES), key.id.encode())
        made = replace(key, material=b64encode(sealed).decode())
        with self._changing():
            self._write(self._path(key.id), made)
        return made

    def get(self, key_id: str) -> Key | None:
        """The key; None where there is none of that id."""
        if not _ID.fullmatch(key_id):
            return None
        try:
            return _key.decode(self._path(key_id).read_bytes())
        except FileNotFoundError:
            return None

    def all(self) -> list[Key]:
        """Every key, by id."""
        names = sorted(path.stem for path in self._directory.glob("*-*.json"))
        return [key for name in names if (key := self.get(name)) is not None]

    def change(self, key_id: str, change: Callable[[Key], Key]) -> Key | None:
        """Change a key; None where it is gone."""
        with self._changing():
            known = self.get(key_id)
            if known is not None:
                known = change(known)
                self._write(self._path(key_id), known)
            return known

    def remove(self, key_id: str) -> None:
        """Take away a key for ever, with its aliases."""
        self.change_aliases(lambda known: ([each for each in known if each.key_id != key_id], None))
        with self._changing():
            self._path(key_id).unlink(missing_ok=True)
            sync_directory(self._directory)

    def aliases(self) -> list[Alias]:
        """Every alias of every account, by name."""
        try:
            return _aliases.decode(self._alias_file.read_bytes())
        except FileNotFoundError:
            return []

    def change_aliases(self, change: Callable[[Sequence[Alias]], tuple[list[Alias], Outcome]]) -> Outcome:
        """Put what `change` makes of the aliases in their place; gives its outcome, and raises what it raises."""
        with self._changing():
            changed, outcome = change(self.aliases())
            self._write(self._alias_file, sorted(changed, key=lambda each: each.name))
            return outcome

    def material(self, key: Key) -> bytes:
        """What the key encrypts with; raises KmsRefusal when the root key is another than that which sealed it."""
        try:
            return unseal(self._root_key, b64decode(key.material), key.id.encode())
        except (BadSeal, ValueError):
            raise KmsRefusal(
                "KMSInternalException",
                f"the key {key.id} does not open with this root key: another sealed it, or its file was changed",
            ) from None

    def secret(self, purpose: str) -> bytes:
        """A key for one purpose of the service's own, which has no id and never leaves."""
        return derived_key(self._root_key, b"", purpose.encode())

    def _path(self, key_id: str) -> Path:
        return self._directory / f"{key_id}.json"

    def _write(self, path: Path, document: object) -> None:
        with whole_file(path) as file:
            file.write(msgspec.json.encode(document))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time, whoever else has the directory open."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
