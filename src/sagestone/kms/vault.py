"""What can be done with the keys of one account: find them by any of their names, encrypt and decrypt."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sagestone.domain.names import Deployment
from sagestone.kms.ciphertext import Ciphertext, context_bytes, is_key_id, read_ciphertext
from sagestone.kms.key import Alias, Key, KeyManager
from sagestone.kms.key_store import KeyStore
from sagestone.kms.names import alias_arn, key_arn, read_key_name
from sagestone.kms.refusal import KmsRefusal
from sagestone.kms.seal import BadSeal, seal, unseal

#: The keys that AWS makes in every account and that clients take for there.
MANAGED: Final[Mapping[str, str]] = {
    "alias/aws/s3": "Default key that protects my S3 objects when no other key is defined",
    "alias/aws/ebs": "Default key that protects my EBS volumes when no other key is defined",
}


class Vault:
    """The keys of a deployment's account. Every call raises KmsRefusal with KMS's own code and words."""

    def __init__(self, store: KeyStore, deployment: Deployment, clock: Callable[[], float]) -> None:
        self._store = store
        self._deployment = deployment
        self._clock = clock

    def of(self, account: str) -> "Vault":
        """The keys of another account beside these; "": these."""
        return Vault(self._store, replace(self._deployment, account=account), self._clock) if account else self

    def add_managed_keys(self) -> None:
        """Make the keys that exist without anybody having made them, and prove that the root key opens them."""
        for alias, description in MANAGED.items():
            try:
                self._store.material(self.find(alias))
            except KmsRefusal as refusal:
                if refusal.code != "NotFoundException":
                    raise
                self._add_managed(alias, self.create(description, manager="AWS"))

    def _add_managed(self, alias: str, key: Key) -> None:
        try:
            self.put_alias(alias, key)
        except KmsRefusal as refusal:
            self._store.remove(key.id)
            if refusal.code != "AlreadyExistsException":  # another process was quicker
                raise

    def create(
        self, description: str = "", tags: Mapping[str, str] | None = None, manager: KeyManager = "CUSTOMER"
    ) -> Key:
        """A new key, enabled."""
        now = round(self._clock(), 3)
        return self._store.add(
            Key(
                id=str(uuid.uuid4()),
                account=self._deployment.account,
                created_at=now,
                description=description,
                manager=manager,
                tags=dict(tags or {}),
            )
        )

    def all(self) -> list[Key]:
        """The keys of the account, by id."""
        return [key for key in self._store.all() if self._is_there(key)]

    def find(self, name: str) -> Key:
        """The key of an id, ARN, alias or alias ARN."""
        read = read_key_name(name, self._deployment)
        key_id = self.alias(read.text).key_id if read.kind == "alias" else read.text
        if not is_key_id(key_id):
            raise KmsRefusal("NotFoundException", f"Invalid keyId '{key_id[:256]}'")
        key = self._store.get(key_id)
        if key is None or not self._is_there(key):
            raise KmsRefusal("NotFoundException", f"Key '{key_arn(self._deployment, key_id)}' does not exist")
        return key

    def usable(self, name: str) -> Key:
        """The key, which must be enabled."""
        key = self.find(name)
        self._check_enabled(key)
        return key

    def change(self, key: Key, change: Callable[[Key], Key]) -> Key:
        """Change what is kept of a key."""
        changed = self._store.change(key.id, change)
        if changed is None:
            raise KmsRefusal("NotFoundException", f"Key '{self.arn(key)}' does not exist")
        return changed

    def encrypt(self, key: Key, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        """A CiphertextBlob of an enabled key."""
        self._check_enabled(key)
        sealed = seal(self._store.material(key), plaintext, context_bytes(context))
        return Ciphertext(key_id=key.id, sealed=sealed).to_bytes()

    def decrypt(self, blob: bytes, context: Mapping[str, str]) -> tuple[Key, bytes]:
        """The key that sealed it, and the plaintext."""
        read = read_ciphertext(blob)
        if read is None:
            raise KmsRefusal("InvalidCiphertextException", "")
        key = self.find(read.key_id)
        self._check_enabled(key)
        try:
            return key, unseal(self._store.material(key), read.sealed, context_bytes(context))
        except BadSeal:
            raise KmsRefusal("InvalidCiphertextException", "") from None

    def seal_own(self, data: bytes, context: Mapping[str, str]) -> bytes:
        """Seal under a key of the service itself, which is no key of any account."""
        return seal(self._store.secret("service"), data, context_bytes(context))

    def unseal_own(self, sealed: bytes, context: Mapping[str, str]) -> bytes:
        """What `seal_own` sealed."""
        try:
            return unseal(self._store.secret("service"), sealed, context_bytes(context))
        except BadSeal:
            raise KmsRefusal("InvalidCiphertextException", "") from None

    @property
    def partition(self) -> str:
        return self._deployment.partition

    def arn(self, key: Key) -> str:
        return key_arn(self._deployment, key.id)

    def alias_arn(self, name: str) -> str:
        return alias_arn(self._deployment, name)

    def alias(self, name: str) -> Alias:
        """The alias of that name (`alias/…`)."""
        for each in self.aliases():
            if each.name == name:
                return each
        raise KmsRefusal("NotFoundException", f"Alias {self.alias_arn(name)} is not found.")

    def aliases(self) -> list[Alias]:
        """The aliases of the account, by name."""
        return [each for each in self._store.aliases() if each.account == self._deployment.account]

    def put_alias(self, name: str, key: Key, *, replaces: bool = False) -> None:
        """Name a key; `replaces`: the name is there already and gets another key."""
        now, account = round(self._clock(), 3), self._deployment.account

        def work(known: Sequence[Alias]) -> tuple[list[Alias], None]:
            others = [each for each in known if (each.account, each.name) != (account, name)]
            there = [each for each in known if (each.account, each.name) == (account, name)]
            if there and not replaces:
                raise KmsRefusal(
                    "AlreadyExistsException", f"An alias with the name {self.alias_arn(name)} already exists"
                )
            if replaces and not there:
                raise KmsRefusal("NotFoundException", f"Alias {self.alias_arn(name)} is not found.")
            fresh = Alias(account=account, name=name, key_id=key.id, created_at=now, updated_at=now)
            return [
                *others,
                *(replace(each, key_id=key.id, updated_at=now) for each in there),
                *([] if there else [fresh]),
            ], None

        self._store.change_aliases(work)

    def remove_alias(self, name: str) -> None:
        """Take a name away; the key stays."""
        gone = self.alias(name)
        self._store.change_aliases(lambda known: ([each for each in known if each != gone], None))

    def _check_enabled(self, key: Key) -> None:
        if key.state == "Disabled":
            raise KmsRefusal("DisabledException", f"{self.arn(key)} is disabled.")
        if key.state == "PendingDeletion":
            raise KmsRefusal("KMSInvalidStateException", f"{self.arn(key)} is pending deletion.")

    def _is_there(self, key: Key) -> bool:
        """Whether it is this account's; a key whose time has come is taken away for ever when somebody looks."""
        if key.deletion_at is not None and key.deletion_at <= self._clock():
            self._store.remove(key.id)
            return False
        return key.account == self._deployment.account
