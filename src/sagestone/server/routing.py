"""Who answers a request on the one endpoint that all services share."""

from collections.abc import Collection
from typing import Literal

from sagestone.domain.container_credentials import PREFIX
from sagestone.wire.signature import SignedRequest

#: json: an AWS JSON service; s3: the S3 face; query: a service of the query protocol; foreign: one that is not served,
#: told in the form its clients read; health: the unsigned question whether the service lives; credentials: a container
#: asks, unsigned, for those of its job's role, by a sealed path.
Face = Literal["json", "s3", "query", "foreign", "health", "credentials"]

HEALTH_PATH = "/health"


def face_of(request: SignedRequest, claimed: str | None, services: Collection[str]) -> Face:
    """`claimed` is the service in the credential scope, `services` are those of the JSON face.

    The claimed service decides, then X-Amz-Target, then the form of the body; what is left is S3: presigned with
    version 2, unsigned, or signed in a way that S3 refuses."""
    headers = request.headers
    if claimed is None and request.method == "GET" and request.raw_path.startswith(PREFIX):
        return "credentials"
    if claimed == "s3":
        return "s3"
    if claimed in services or "x-amz-target" in headers:
        return "json"
    content_type = headers.get("content-type", "")
    form = content_type.startswith("application/x-www-form-urlencoded")
    if claimed is not None:
        return "query" if form else "foreign"
    if form and request.method == "POST" and request.raw_path == "/":
        return "query"
    if content_type.startswith("application/x-amz-json"):
        return "json"
    if (
        request.raw_path == HEALTH_PATH
        and request.method in ("GET", "HEAD")
        and not request.raw_query
        and "authorization" not in headers
    ):
        return "health"
    return "s3"
