"""How objects are encrypted: what is asked for, what is kept about it, and the keys to it."""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sagestone.kms.refusal import KmsRefusal
from sagestone.kms.seal import KEY_BYTES
from sagestone.kms.vault import Vault
from sagestone.s3.storage.documents import Encryption, WantedEncryption
from sagestone.s3.storage.refusal import Refusal

_OBJECT, _MANAGED = "aws:s3:arn", "alias/aws/s3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """How an object is sealed, with the key that does it."""

    encryption: Encryption
    data_key: bytes = field(repr=False)


class Seals:
    """Makes and opens the data keys of objects. Every call raises Refusal `KMS.…` for a key that cannot be used.

    A data key is sealed under the KMS key (for AES256 under one of the store's own) and bound to the object's ARN, with
    a bucket key to the bucket's.
    """

    def __init__(self, vault: Vault | None) -> None:
        self._vault = vault

    def begin(self, wanted: WantedEncryption, bucket: str, key: str, owner: str) -> Sealing:
        """A fresh data key for an object that is to be written, under a key of the bucket's owner."""
        vault, data_key = self._keys(owner, wanted), secrets.token_bytes(KEY_BYTES)
        context = self._context(bucket, key, bucket_key=wanted.bucket_key) | wanted.context
        arn = ""
        with _refusals():
            if wanted.algorithm == "aws:kms":
                kms_key = vault.usable(wanted.key or _MANAGED)
                arn, sealed = vault.arn(kms_key), vault.encrypt(kms_key, data_key, context)
            else:
                sealed = vault.seal_own(data_key, context)
        encryption = Encryption(
            algorithm=wanted.algorithm,
            key=arn,
            data_key=b64encode(sealed).decode(),
            bucket_key=wanted.bucket_key,
            context=wanted.context,
        )
        return Sealing(encryption=encryption, data_key=data_key)

    def again(self, encryption: Encryption, bucket: str, key: str) -> Sealing:
        """The data key that an object was begun or written with."""
        account = encryption.key.split(":")[4] if encryption.key else ""
        vault, sealed = self._keys(account), b64decode(encryption.data_key)
        context = self._context(bucket, key, bucket_key=encryption.bucket_key) | encryption.context
        with _refusals():
            if encryption.algorithm == "aws:kms":
                _, data_key = vault.decrypt(sealed, context)
            else:
                data_key = vault.unseal_own(sealed, context)
        return Sealing(encryption=encryption, data_key=data_key)

    def check(self, wanted: WantedEncryption, owner: str) -> None:
        """Whether that could be done: the key must be there and enabled."""
        vault = self._keys(owner, wanted)
        if wanted.algorithm == "aws:kms":
            with _refusals():
                vault.usable(wanted.key or _MANAGED)

    def guarded_key(self, name: str, account: str) -> str:
        """The ARN of the KMS key that a caller of the account must be allowed to use; "": none.

        None are the keys that AWS makes, whose own policies let in whom S3 lets in. For a key that is not there, its
        name: whoever asks for it is told later.
        """
        if self._vault is None or name in ("", _MANAGED):
            return ""
        vault = self._vault.of(account)
        try:
            key = vault.find(name)
        except KmsRefusal:
            return name
        return "" if key.manager == "AWS" else vault.arn(key)

    def _context(self, bucket: str, key: str, *, bucket_key: bool) -> dict[str, str]:
        arn = f"arn:{self._keys('').partition}:s3:::{bucket}"
        return {_OBJECT: arn if bucket_key else f"{arn}/{key}"}

    def _keys(self, account: str, wanted: WantedEncryption | None = None) -> Vault:
        """The keys of an account ("": the home's own), with its default key where that is wanted."""
        if self._vault is None:
            raise Refusal("NotImplemented", "This store was opened without keys: it cannot encrypt or decrypt.")
        vault = self._vault.of(account)
        if account and wanted is not None and wanted.key in ("", _MANAGED):
            with _refusals():
                vault.add_managed_keys()
        return vault


@contextmanager
def _refusals() -> Iterator[None]:
    """The refusals of KMS as S3 passes them on."""
    try:
        yield
    except KmsRefusal as refusal:
        text = (
            refusal.message or "The data key of the object does not open: it was changed, or belongs to another object."
        )
        raise Refusal(f"KMS.{refusal.code}", text) from refusal
