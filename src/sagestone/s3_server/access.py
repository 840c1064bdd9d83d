"""What a signer may do with which bucket: its owner's account alone uses a bucket, within the signer's policies."""

from typing import Final

from sagestone.domain.access import decide, denial
from sagestone.s3.storage.buckets import Buckets
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.authentication import Signer
from sagestone.wire.credentials import CredentialBook

CREATE: Final = "s3:CreateBucket"


class Access:
    """Asked before anything is done. Without a book (no authentication) everybody may do everything."""

    def __init__(self, book: CredentialBook | None, buckets: Buckets, *, partition: str, account: str) -> None:
        self._book, self._buckets, self._partition, self._account = book, buckets, partition, account

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
