"""ListBuckets, CreateBucket, HeadBucket, GetBucketLocation, DeleteBucket, and what a plain bucket has to say."""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from aiohttp import web

from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.answers import empty, iso_time, xml
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.context import Context
from sagestone.s3_server.errors import invalid_argument
from sagestone.s3_server.headers import read_number
from sagestone.s3_server.receive import receive_small
from sagestone.s3_server.request import S3Request
from sagestone.s3_server.xml_reader import read_document
from sagestone.s3_server.xml_writer import document, element, group

LEGACY_REGION = "us-east-1"
MOST_BUCKETS = 10000


async def list_buckets(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """All buckets of the account, by name."""
    limit = read_number(request.parameters, "max-buckets", MOST_BUCKETS, 1, MOST_BUCKETS)
    prefix, region = request.parameters.get("prefix", ""), request.parameters.get("bucket-region", "")
    after = _read_token(request.parameters.get("continuation-token", ""))
    found = context.storage.buckets.all(prefix=prefix, after=after, owner=context.access.owner_word(signer))
    found = [bucket for bucket in found if not region or bucket.region == region]
    page, more = found[:limit], len(found) > limit
    entries = [
        group(
            "Bucket",
            element("Name", bucket.name),
            element("CreationDate", iso_time(bucket.created_at)),
            element("BucketRegion", bucket.region),
        )
        for bucket in page
    ]
    parts = [group("Buckets", *entries), owner(context.access.account_of(signer))]
    if prefix:
        parts.append(element("Prefix", prefix))
    if more:
        parts.append(element("ContinuationToken", urlsafe_b64encode(page[-1].name.encode()).decode()))
    return xml(document("ListAllMyBucketsResult", *parts))


async def create_bucket(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Make a bucket; one of one's own that is there already is said to be (in us-east-1 that is no error)."""
    body = await receive_small(context, request, signer, 65536)
    region = _read_region(body) or context.region
    whose = context.access.owner_word(signer)
    if not await context.run(context.storage.buckets.create, request.bucket, region, context.clock(), whose):
        there = context.storage.buckets.get(request.bucket)
        if there.owner != whose:
            raise Refusal(
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the "
                "system. Please select a different name and try again.",
                BucketName=request.bucket,
            )
        if not there.region == region == LEGACY_REGION:
            raise Refusal(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                BucketName=request.bucket,
            )
    return empty(headers={"Location": f"/{request.bucket}"})


async def head_bucket(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Whether the bucket is there, and its region."""
    bucket = context.storage.buckets.get(request.bucket)
    return empty(headers={"x-amz-bucket-region": bucket.region, "x-amz-access-point-alias": "false"})


async def get_location(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """The bucket's region; empty for us-east-1, as S3 has it."""
    region = context.storage.buckets.get(request.bucket).region
    body = document("LocationConstraint", region if region != LEGACY_REGION else "")
    return xml(body)


async def get_versioning(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Versioning was never switched on."""
    context.storage.buckets.get(request.bucket)
    return xml(document("VersioningConfiguration"))


async def delete_bucket(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Delete an empty bucket."""
    await context.run(context.storage.buckets.delete, request.bucket)
    return empty(204)


def owner(account: str, name: str = "Owner") -> str:
    """The owner of buckets and all that is in them."""
    return group(name, element("ID", hashlib.sha256(account.encode()).hexdigest()), element("DisplayName", account))


def _read_region(body: bytes) -> str:
    """The LocationConstraint of a CreateBucketConfiguration; "" without one."""
    if not body.strip():
        return ""
    node = read_document(body, "CreateBucketConfiguration")
    node.check_children({"LocationConstraint"})
    region = (node.get("LocationConstraint") or "").strip()
    if region == "EU":
        return "eu-west-1"
    if region and not re.fullmatch(r"[a-z]{2,4}(-[a-z]+){1,3}-[0-9]", region):
        raise Refusal(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
            LocationConstraint=region[:100],
        )
    return region


def _read_token(token: str) -> str:
    try:
        return urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise invalid_argument("continuation-token", token, "The continuation token provided is incorrect") from None
