"""What a signer may do with which bucket: its owner's account alone uses a bucket, within the signer's policies."""

from typing import Final

from sagestone.domain.access import decide, denial
from sagestone.s3.storage.buckets import Buckets
from sagestone.s3.storage.documents import Encryption, WantedEncryption
from sagestone.s3.storage.encryption import Seals
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.authentication import Signer
from sagestone.wire.credentials import CredentialBook

CREATE: Final = "s3:CreateBucket"


class Access:
    """Asked before anything is done. Without a book (no authentication) everybody may do everything."""

    def __init__(
        self, book: CredentialBook | None, buckets: Buckets, seals: Seals, *, partition: str, account: str
    ) -> None:
        self._book, self._buckets, self._seals = book, buckets, seals
        self._partition, self._account = partition, account

    def check(self, signer: Signer, action: str, bucket: str = "", key: str = "") -> None:
        """Raises Refusal AccessDenied, or NoSuchBucket. `action` "": the operation asks itself, object by object."""
        if self._book is None or signer.principal is None:
            return
        grants = self._book.grants(signer.principal)
        if action and (grants.own is not None or grants.bound is not None):
            resource = self._arn(bucket, key)
            decision = decide(grants, action, resource)
            if decision.outcome != "allowed":
                text = denial(signer.principal.arn(self._partition), action, f'"{resource}"', decision)
                raise Refusal("AccessDenied", text)
        if not self._book.has_further or not bucket or action == CREATE:
            return  # one account alone has nobody to be kept from
        if self._buckets.get(bucket).owner != self.owner_word(signer):
            raise Refusal("AccessDenied", "Access Denied")

    def check_encrypt(self, signer: Signer, bucket: str, wanted: WantedEncryption | None) -> None:
        """Raises Refusal AccessDenied where the signer may make no data key under the KMS key of an object to be.

        `wanted` is what the request asks for (None: what the bucket has by default).
        """
        if self._has_policies(signer):
            there = self._buckets.get(bucket)
            asked = wanted or there.encryption
            if asked is not None and asked.algorithm == "aws:kms":
                self._check_key(signer, "kms:GenerateDataKey", self._seals.guarded_key(asked.key, there.owner))

    def check_decrypt(self, signer: Signer, encryption: Encryption | None) -> None:
        """Raises Refusal AccessDenied where the signer may not decrypt with the KMS key of an object or upload."""
        if encryption is not None and encryption.key and self._has_policies(signer):
            account = encryption.key.split(":")[4]
            self._check_key(signer, "kms:Decrypt", self._seals.guarded_key(encryption.key, account))

    def _has_policies(self, signer: Signer) -> bool:
        """Whether anything keeps the signer from anything: the rare case."""
        if self._book is None or signer.principal is None:
            return False
        grants = self._book.grants(signer.principal)
        return grants.own is not None or grants.bound is not None

    def _check_key(self, signer: Signer, action: str, key: str) -> None:
        if not key or self._book is None or signer.principal is None:
            return
        decision = decide(self._book.grants(signer.principal), action, key)
        if decision.outcome != "allowed":
            raise Refusal("AccessDenied", denial(signer.principal.arn(self._partition), action, key, decision))

    def owner_word(self, signer: Signer) -> str:
        """How the signer's account stands in the index of buckets."""
        further = self._book is not None and self._book.is_further(signer.account)
        return signer.account if further else ""

    def account_of(self, signer: Signer) -> str:
        """The account whose buckets the signer sees."""
        return self.owner_word(signer) or self._account

    def _arn(self, bucket: str, key: str) -> str:
        if not bucket:
            return "*"
        return f"arn:{self._partition}:s3:::{bucket}/{key}" if key else f"arn:{self._partition}:s3:::{bucket}"
