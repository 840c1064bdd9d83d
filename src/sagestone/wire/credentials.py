"""Who may sign requests to this service, and what they may do: as the credentials file says at this moment."""

import hashlib
import hmac
import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from sagestone.domain.access import Grants
from sagestone.domain.policy import Policy, read_policy
from sagestone.domain.principal import FIRST_USER, Principal
from sagestone.wire.access_document import AccessDocument, Credentials
from sagestone.wire.access_file import FILE_NAME, BadCredentials, create_access, read_access

__all__ = ["FILE_NAME", "BadCredentials", "CredentialBook", "Credentials"]

_LOG = logging.getLogger(__name__)

#: The usual case: nobody has a policy.
_NONE = Grants()

_Policies = dict[tuple[str, str], tuple[Policy, ...]]


class CredentialBook:
    """All keys that are known; `default` is the one that `sagestone env` prints.

    A book that was opened follows its file: a change counts from the next request on. A file that cannot be used any
    more is logged, and what it said before stays.
    """

    def __init__(self, credentials: Iterable[Credentials], path: Path | None = None) -> None:
        self._path = path
        self._file = str(path)
        self._seen: tuple[int, int, int] | None = None
        self._lock = threading.Lock()
        self._take(AccessDocument(credentials=tuple(credentials)))

    @classmethod
    def open(cls, home: Path, account: str) -> "CredentialBook":
        """The keys in `<home>/credentials.json`; makes home and file (mode 0600, one key of `account`) on the first
        call. Two processes that start at once end up with the same keys. Raises BadCredentials for a file that
        cannot be used."""
        path = home / FILE_NAME
        if not path.exists():
            create_access(path, account)
        document = read_access(path)
        book = cls(document.credentials, path)
        book._seen = book._look()
        book._take(document)
        return book

    @property
    def default(self) -> Credentials:
        """The first key of the home's own account that is not disabled."""
        return self._default

    @property
    def document(self) -> AccessDocument:
        """All that is known at this moment."""
        self._follow()
        return self._document

    @property
    def has_further(self) -> bool:
        """Whether there are accounts beside the home's own."""
        return bool(self._further)

    def is_further(self, account: str) -> bool:
        """Whether it is an account beside the home's own."""
        return account in self._further

    def seal_key(self, purpose: str) -> str:
        """A key for seals of one purpose; it says nothing about what it was made from."""
        return hmac.new(self._seal.encode(), f"seal {purpose}".encode(), hashlib.sha256).hexdigest()

    def session_hash(self, purpose: bytes, text: bytes) -> bytes:
        """What temporary credentials are sealed with, and made from."""
        return hmac.new(self._seal.encode(), b"session " + purpose + b"\0" + text, hashlib.sha256).digest()

    def find(self, access_key: str) -> Credentials | None:
        """The credentials of an access key; None if it is not known, or disabled."""
        self._follow()
        found = self._by_key.get(access_key)
        return None if found is None or found.disabled else found

    def grants(self, principal: Principal) -> Grants:
        """The policies of a caller and of their account."""
        if not self._policies:
            return _NONE
        account = principal.account
        return Grants(
            own=self._policies.get((account, f"{principal.kind}/{principal.name}")),
            bound=self._policies.get((account, "")),
        )

    def _follow(self) -> None:
        """Read the file again if it was changed."""
        if self._path is None or self._look() == self._seen:
            return
        with self._lock:
            seen = self._look()
            if seen == self._seen:
                return
            self._seen = seen
            try:
                self._take(read_access(self._path))
            except BadCredentials as problem:
                _LOG.error("what the credentials file said before stays in force: %s", problem)

    def _look(self) -> tuple[int, int, int] | None:
        assert self._path is not None
        try:
            found = os.stat(self._file)  # noqa: PTH116 for every request: a Path takes its time
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _take(self, document: AccessDocument) -> None:
        keys = document.credentials
        if not keys:
            raise BadCredentials("There must be at least one access key.")
        policies: _Policies = {}
        for each in document.policies:
            place = (each.account, each.to)
            policies[place] = (*policies.get(place, ()), read_policy(each.name, each.document))
        own = [each for each in keys if each.account == keys[0].account and not each.disabled]
        first = [each for each in own if each.user == FIRST_USER]
        self._default = (first or own or keys)[0]
        self._document, self._policies = document, policies
        self._by_key = {each.access_key: each for each in keys}
        self._further = frozenset(each.id for each in document.accounts)
        self._seal = document.seal or keys[0].secret_key  # a file of an older version has no seal
