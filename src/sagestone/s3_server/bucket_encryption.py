"""PutBucketEncryption, GetBucketEncryption and DeleteBucketEncryption: what becomes of objects that ask for nothing."""

from aiohttp import web

from sagestone.s3.storage.documents import WantedEncryption
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.answers import empty, xml
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.context import Context
from sagestone.s3_server.errors import not_implemented
from sagestone.s3_server.receive import receive_small
from sagestone.s3_server.request import S3Request
from sagestone.s3_server.xml_reader import Node, malformed, read_document
from sagestone.s3_server.xml_writer import document, element, group


async def put_encryption(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Set the bucket's default; a KMS key must be there and enabled."""
    body = await receive_small(context, request, signer, 65536)
    wanted = _read(read_document(body, "ServerSideEncryptionConfiguration"))

    def work() -> None:
        context.storage.seals.check(wanted, context.storage.buckets.get(request.bucket).owner)
        context.storage.buckets.set_encryption(request.bucket, wanted)

    await context.run(work)
    return empty()


async def get_encryption(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """The bucket's default, where one was set."""
    wanted = context.storage.buckets.get(request.bucket).encryption
    if wanted is None:
        raise Refusal(
            "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration does not exist.",
            BucketName=request.bucket,
        )
    default = [element("SSEAlgorithm", wanted.algorithm)]
    if wanted.key:
        default.append(element("KMSMasterKeyID", wanted.key))
    rule = group(
        "Rule",
        group("ApplyServerSideEncryptionByDefault", *default),
        element("BucketKeyEnabled", "true" if wanted.bucket_key else "false"),
    )
    return xml(document("ServerSideEncryptionConfiguration", rule))


async def delete_encryption(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Take the bucket's default away; objects stay as they are."""
    await context.run(context.storage.buckets.set_encryption, request.bucket, None)
    return empty(204)


def _read(node: Node) -> WantedEncryption:
    node.check_children({"Rule"})
    rule = _only(node, "Rule")
    rule.check_children({"ApplyServerSideEncryptionByDefault", "BucketKeyEnabled"})
    default = _only(rule, "ApplyServerSideEncryptionByDefault")
    default.check_children({"SSEAlgorithm", "KMSMasterKeyID"})
    algorithm, key = (default.get("SSEAlgorithm") or "").strip(), (default.get("KMSMasterKeyID") or "").strip()
    bucket_key = (rule.get("BucketKeyEnabled") or "false").strip().lower()
    if algorithm == "aws:kms:dsse":
        raise not_implemented("SSEAlgorithm aws:kms:dsse (two layers of encryption)")
    if bucket_key not in ("true", "false"):
        raise malformed("<BucketKeyEnabled> is true or false")
    if algorithm == "aws:kms":
        return WantedEncryption(algorithm="aws:kms", key=key, bucket_key=bucket_key == "true")
    if algorithm != "AES256":
        raise malformed("<SSEAlgorithm> is AES256 or aws:kms")
    if key:
        raise Refusal(
            "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms"
        )
    return WantedEncryption(algorithm="AES256")


def _only(node: Node, name: str) -> Node:
    found = node.all(name)
    if len(found) != 1:
        raise malformed(f"<{node.name}> holds one <{name}>, not {len(found)}")
    return found[0]
