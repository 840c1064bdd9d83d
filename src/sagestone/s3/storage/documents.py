"""The documents of the embedded store."""

from dataclasses import dataclass, field
from typing import Literal

ChecksumType = Literal["FULL_OBJECT", "COMPOSITE"]


EncryptionAlgorithm = Literal["aws:kms", "AES256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEncryption:
    """The encryption that is asked for. `key` is a KMS key by any of its names ("": the account's default one),
    `context` what is authenticated beside the object's ARN."""

    algorithm: EncryptionAlgorithm
    key: str = ""
    bucket_key: bool = False
    context: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How the blob of an object is encrypted. `key` is the ARN of its KMS key ("" for AES256), `data_key` what the blob
    is sealed with, itself sealed (base64). `segments` are the sizes that were sealed one by one; (): in one."""

    algorithm: EncryptionAlgorithm
    data_key: str
    key: str = ""
    bucket_key: bool = False
    context: dict[str, str] = field(default_factory=dict)
    segments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is kept about an object beside its bytes.

    `headers` are the content headers (lower case), `metadata` the user's (names without x-amz-meta-), `checksums` by
    algorithm (crc32 …) in base64; `parts` are the sizes of the parts a multipart upload was made of.
    """

    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    checksum_type: ChecksumType = "FULL_OBJECT"
    parts: tuple[int, ...] = ()
    encryption: Encryption | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket; `created_at` epoch seconds, `owner` an account ("": the home's own), `encryption` that of objects that
    ask for none."""

    name: str
    region: str
    created_at: float
    owner: str = ""
    encryption: WantedEncryption | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object: where its bytes are (`blob`) and what is known about it. `etag` without quotes."""

    bucket: str
    key: str
    blob: str
    size: int
    etag: str
    modified_at: float
    description: Description


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A multipart upload that was begun; `checksum_algorithm` is "" when none was asked for."""

    id: str
    bucket: str
    key: str
    begun_at: float
    description: Description
    checksum_algorithm: str = ""
    checksum_type: ChecksumType = "COMPOSITE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a multipart upload."""

    number: int
    blob: str
    size: int
    etag: str
    modified_at: float
    checksums: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What must hold when an object is written or deleted, checked in the same transaction.

    `if_none_match` (`*`): no object is there; `if_match`: the object there has this ETag (`*`: any).
    """

    if_none_match: bool = False
    if_match: str | None = None


ALWAYS = Conditions()
