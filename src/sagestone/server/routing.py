"""Who answers a request on the one endpoint that all services share."""

from collections.abc import Collection
from typing import Literal

from sagestone.domain.container_credentials import PREFIX
from sagestone.s3_server.request import bucket_of_host
from sagestone.server.monitoring_face import PATHS
from sagestone.wire.form import PROTOCOL_HEADER
from sagestone.wire.signature import SignedRequest

#: json: an AWS JSON service; s3: the S3 face; query: a service of the query protocol; foreign: one that is not served,
#: told in the form its clients read; monitoring: an unsigned question of who watches the service; credentials: a
#: container asks, unsigned, for those of its job's role, by a sealed path.
Face = Literal["json", "s3", "query", "foreign", "monitoring", "credentials"]


def face_of(
    request: SignedRequest,
    claimed: str | None,
    services: Collection[str],
    hosts: tuple[str, ...] = (),
    query_services: Collection[str] = (),
) -> Face:
    """`claimed` is the service in the credential scope, `services` are those of the JSON face, `hosts` the
    names below which buckets have names of their own.

    The claimed service decides, then X-Amz-Target, then the form of the body; what is left is S3: presigned with
    version 2, unsigned, or signed in a way that S3 refuses. A service of the query protocol may be asked by GET: that
    is how its presigned URLs work."""
    headers = request.headers
    if claimed is None and request.method == "GET" and request.raw_path.startswith(PREFIX):
        return "credentials"
    if claimed == "s3":
        return "s3"
    if claimed in services or "x-amz-target" in headers or (claimed is None and PROTOCOL_HEADER in headers):
        return "json"
    content_type = headers.get("content-type", "")
    form = content_type.startswith("application/x-www-form-urlencoded")
    if claimed is not None:
        return "query" if form or (claimed in query_services and request.method == "GET") else "foreign"
    if form and request.method == "POST" and request.raw_path == "/":
        return "query"
    if content_type.startswith("application/x-amz-json"):
        return "json"
    return "monitoring" if request.raw_path in PATHS and _is_bare(request, hosts) else "s3"


def _is_bare(request: SignedRequest, hosts: tuple[str, ...]) -> bool:
    """Not signed in any way, for the service's own name: a bucket may be called `metrics`, an object too."""
    return (
        request.method in ("GET", "HEAD")
        and not request.raw_query
        and "authorization" not in request.headers
        and not bucket_of_host(request.headers.get("host", ""), hosts)
    )
