"""S3 URIs as SageMaker takes them."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

#: Of a key, in UTF-8 (documented).
LONGEST_KEY_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class S3Uri:
    """A bucket and a key or key prefix (no leading slash)."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> "S3Uri":
        """Read `s3://bucket/key` or the https form of a store (`https://host/bucket/key`, `https://bucket.s3….com/key`).

        Raises ValueError with the text when neither form fits (shape S3Uri: `(https|s3)://([^/]+)/?(.*)`).
        """
        scheme, separator, rest = text.partition("://")
        if not separator or scheme not in ("s3", "https") or not rest or rest.startswith("/"):
            raise ValueError(f"{text!r} is not an S3 URI: expected s3://BUCKET/KEY")
        if scheme == "s3":
            bucket, _, key = rest.partition("/")
            return cls(bucket, key)
        parts = urlsplit(text)
        host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
        for marker in (".s3.", ".s3-"):
            if marker in host:
                return cls(host.split(marker, 1)[0], path)
        bucket, _, key = path.partition("/")
        if not bucket:
            raise ValueError(f"{text!r} names no bucket: expected s3://BUCKET/KEY")
        return cls(bucket, key)
