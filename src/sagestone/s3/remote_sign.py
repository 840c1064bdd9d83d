"""URLs signed (signature version 4, in the query) for whoever holds them: to GET an object or a page of a list.

Botocore signs as well, and takes most of a second to be loaded and to make a client: longer than many a channel takes.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

from sagestone.s3.uri import S3Uri

_ALGORITHM = "AWS4-HMAC-SHA256"


class Signer:
    """Signs for one endpoint, path-style; `clock` gives epoch seconds."""

    def __init__(
        self,
        endpoint_url: str,
        region: str,
        access_key: str,
        secret_key: str,
        session_token: str | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        url = urlsplit(endpoint_url)
        self.scheme, self.host = url.scheme, url.netloc
        self._base = url.path.rstrip("/")
        self._region, self._access_key, self._secret_key = region, access_key, secret_key
        self._session_token, self._clock = session_token, clock

    def url(self, place: S3Uri, seconds: int, parameters: Mapping[str, str] | None = None) -> str:
        """The path with its query, without scheme and host; an empty key stands for the bucket."""
        now = time.gmtime(self._clock())
        at, day = time.strftime("%Y%m%dT%H%M%SZ", now), time.strftime("%Y%m%d", now)
        scope = f"{day}/{self._region}/s3/aws4_request"
        path = f"{self._base}/{place.bucket}" + (f"/{_quoted(place.key, '/')}" if place.key else "")
        query = {
            **(parameters or {}),
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self._access_key}/{scope}",
            "X-Amz-Date": at,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
            **({"X-Amz-Security-Token": self._session_token} if self._session_token else {}),
        }
        encoded = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(query.items()))
        request = f"GET\n{path}\n{encoded}\nhost:{self.host}\n\nhost\nUNSIGNED-PAYLOAD"
        to_sign = f"{_ALGORITHM}\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self._secret_key}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return f"{path}?{encoded}&X-Amz-Signature={hmac.digest(key, to_sign.encode(), 'sha256').hex()}"


def _quoted(text: str, safe: str = "") -> str:
    return quote(text, safe=f"{safe}-_.~")
