"""S3's error documents and the HTTP status of each code."""

from http import HTTPStatus

from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.xml_writer import document, element

#: Everything else is 400.
STATUS = {
    "AccessDenied": 403,
    "InvalidAccessKeyId": 403,
    "SignatureDoesNotMatch": 403,
    "RequestTimeTooSkewed": 403,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NoSuchVersion": 404,
    "NoSuchTagSet": 404,
    "NoSuchBucketPolicy": 404,
    "NoSuchLifecycleConfiguration": 404,
    "NoSuchCORSConfiguration": 404,
    "NoSuchWebsiteConfiguration": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "ObjectLockConfigurationNotFoundError": 404,
    "ReplicationConfigurationNotFoundError": 404,
    "ServerSideEncryptionConfigurationNotFoundError": 404,
    "MethodNotAllowed": 405,
    "BucketAlreadyExists": 409,
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "MissingContentLength": 411,
    "PreconditionFailed": 412,
    "InvalidRange": 416,
    "InvalidPartNumber": 416,
    "InternalError": 500,
    "NotImplemented": 501,
    "InsufficientStorage": 507,
}


def status_of(refusal: Refusal) -> int:
    """The HTTP status that goes with a refusal's code."""
    return STATUS.get(refusal.code, HTTPStatus.BAD_REQUEST)


def error_document(refusal: Refusal, resource: str, request_id: str) -> bytes:
    """The XML body of an error."""
    parts = [element("Code", refusal.code), element("Message", refusal.message)]
    parts += [element(name, value) for name, value in refusal.details.items()]
    parts += [element("Resource", resource), element("RequestId", request_id), element("HostId", request_id)]
    return document("Error", *parts, namespace="")


def not_implemented(what: str) -> Refusal:
    """Refuse what the embedded store does not do, by name; nothing is touched."""
    return Refusal("NotImplemented", f"{what} is not supported by the embedded S3 store. Nothing was changed.")


def invalid_argument(name: str, value: str, why: str) -> Refusal:
    """Refuse the value of a parameter or header."""
    return Refusal("InvalidArgument", why, ArgumentName=name, ArgumentValue=value[:1024])
