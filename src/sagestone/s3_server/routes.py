"""Which operation a request asks for. Whatever is not in these tables is refused by name and touches nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server import (
    bucket_encryption,
    bucket_operations,
    complete_operations,
    list_operations,
    multipart_operations,
    read_operations,
    upload_lists,
    write_operations,
)
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.context import Context
from sagestone.s3_server.errors import not_implemented
from sagestone.s3_server.request import S3Request, check_key

Operation = Callable[[Context, S3Request, Signer], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """An operation, chosen by the parameter `marker` (None: by none), and the parameters that it knows besides; `name`
    is S3's for it."""

    name: str
    marker: str | None
    operation: Operation
    parameters: frozenset[str] = frozenset()
    permission: str = ""  # what policies call it, where that is not in _PERMISSIONS

    @property
    def action(self) -> str:
        """What a policy must allow; "" for what asks for each object by itself."""
        if self.name == "DeleteObjects":
            return ""
        return f"s3:{self.permission or _PERMISSIONS.get(self.name, self.name)}"


def find_route(request: S3Request) -> Route:
    """The operation of a request; raises Refusal NotImplemented or MethodNotAllowed."""
    level = "object" if request.key else "bucket" if request.bucket else "service"
    place = "an object" if level == "object" else f"a {level}"
    check_key(request.key)
    routes = ROUTES.get((level, request.method))
    if routes is None:
        raise Refusal(
            "MethodNotAllowed",
            f"The specified method is not allowed against this resource: {request.method} on {place}.",
            Method=request.method,
            ResourceType=level.upper(),
        )
    parameters = request.parameters
    if level == "bucket" and request.method == "GET":
        absent = ABSENT.keys() & parameters.keys()
        if absent:
            return _absent(absent.pop())
    for route in routes:
        if route.marker is None or route.marker in parameters:
            for name in parameters:
                if name != route.marker and name not in route.parameters:
                    raise not_implemented(f"The query parameter {name[:64]!r} of {request.method} on {place}")
            return route
    raise not_implemented(f"{request.method} on {place} without a sub-resource")


def all_actions() -> set[str]:
    """Every action that is asked about, in the words of policies."""
    routes = [route for each in ROUTES.values() for route in each] + [_absent(name) for name in ABSENT]
    return {route.action for route in routes if route.action} | {"s3:DeleteObject"}


def _absent(name: str) -> Route:
    """Say that a bucket has no such configuration, which is true."""
    code, what, permission = ABSENT[name]

    async def operation(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
        context.storage.buckets.get(request.bucket)
        raise Refusal(code, f"The {what} does not exist.", BucketName=request.bucket)

    return Route(_ABSENT_NAME, name, operation, permission=permission)


ABSENT = {
    "cors": ("NoSuchCORSConfiguration", "CORS configuration", "GetBucketCORS"),
    "lifecycle": ("NoSuchLifecycleConfiguration", "lifecycle configuration", "GetLifecycleConfiguration"),
    "object-lock": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration",
        "GetBucketObjectLockConfiguration",
    ),
    "policy": ("NoSuchBucketPolicy", "bucket policy", "GetBucketPolicy"),
    "publicAccessBlock": (
        "NoSuchPublicAccessBlockConfiguration",
        "public access block configuration",
        "GetBucketPublicAccessBlock",
    ),
    "replication": (
        "ReplicationConfigurationNotFoundError",
        "replication configuration",
        "GetReplicationConfiguration",
    ),
    "tagging": ("NoSuchTagSet", "TagSet", "GetBucketTagging"),
    "website": ("NoSuchWebsiteConfiguration", "website configuration", "GetBucketWebsite"),
}

#: The permissions of operations that have none of their own name.
_PERMISSIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "HeadObject": "GetObject",
    "ListParts": "ListMultipartUploadParts",
    "UploadPart": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}

#: One name for all of them: none is there.
_ABSENT_NAME = "GetBucketConfiguration"

_LIST = frozenset({"prefix", "delimiter", "max-keys", "encoding-type"})
_READ = read_operations.RESPONSE_PARAMETERS | {"partNumber"}

ROUTES: dict[tuple[str, str], tuple[Route, ...]] = {
    ("service", "GET"): (
        Route(
            "ListBuckets",
            None,
            bucket_operations.list_buckets,
            frozenset({"max-buckets", "prefix", "continuation-token", "bucket-region"}),
        ),
    ),
    ("bucket", "PUT"): (
        Route("PutBucketEncryption", "encryption", bucket_encryption.put_encryption),
        Route("CreateBucket", None, bucket_operations.create_bucket),
    ),
    ("bucket", "HEAD"): (Route("HeadBucket", None, bucket_operations.head_bucket),),
    ("bucket", "DELETE"): (
        Route("DeleteBucketEncryption", "encryption", bucket_encryption.delete_encryption),
        Route("DeleteBucket", None, bucket_operations.delete_bucket),
    ),
    ("bucket", "POST"): (Route("DeleteObjects", "delete", write_operations.delete_objects),),
    ("bucket", "GET"): (
        Route("GetBucketLocation", "location", bucket_operations.get_location),
        Route("GetBucketEncryption", "encryption", bucket_encryption.get_encryption),
        Route("GetBucketVersioning", "versioning", bucket_operations.get_versioning),
        Route(
            "ListMultipartUploads",
            "uploads",
            upload_lists.list_uploads,
            frozenset({"prefix", "delimiter", "encoding-type", "max-uploads", "key-marker", "upload-id-marker"}),
        ),
        Route(
            "ListObjectsV2",
            "list-type",
            list_operations.list_v2,
            _LIST | {"continuation-token", "start-after", "fetch-owner"},
        ),
        Route("ListObjects", None, list_operations.list_v1, _LIST | {"marker"}),
    ),
    ("object", "GET"): (
        Route(
            "ListParts",
            "uploadId",
            upload_lists.list_parts,
            frozenset({"max-parts", "part-number-marker", "encoding-type"}),
        ),
        Route("GetObject", None, read_operations.get_object, _READ),
    ),
    ("object", "HEAD"): (Route("HeadObject", None, read_operations.head_object, _READ),),
    ("object", "PUT"): (
        Route("UploadPart", "uploadId", multipart_operations.upload_part, frozenset({"partNumber"})),
        Route("PutObject", None, write_operations.put_object),
    ),
    ("object", "POST"): (
        Route("CreateMultipartUpload", "uploads", multipart_operations.create_upload),
        Route("CompleteMultipartUpload", "uploadId", complete_operations.complete_upload),
    ),
    ("object", "DELETE"): (
        Route("AbortMultipartUpload", "uploadId", multipart_operations.abort_upload),
        Route("DeleteObject", None, write_operations.delete_object),
    ),
}
