"""Who answers what who watches the service asks: a bucket or an object may have the same name."""

import pytest

from sagestone.server.routing import face_of
from sagestone.wire.signature import SignedRequest, claimed_service

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, SignedHeaders=host"}


def _face(target: str, method: str = "GET", **headers: str) -> str:
    request = SignedRequest.of(method, target, {"Host": "localhost:8470", **headers}.items())
    return face_of(request, claimed_service(request), ("sagemaker",), hosts=("localhost", "127.0.0.1"))


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_bare_question_is_answered_by_the_service(path: str, method: str) -> None:
    assert _face(path, method) == "monitoring"


@pytest.mark.parametrize(
    ("target", "method", "headers"),
    [
        ("/metrics", "GET", SIGNED),  # ListObjects of a bucket of that name
        ("/metrics", "HEAD", {"Authorization": "AWS AKIA:signature"}),  # signed by version 2
        ("/metrics", "PUT", {}),
        ("/metrics", "DELETE", {}),
        ("/metrics/", "GET", {}),
        ("/metrics/key", "GET", {}),
        ("/metrics?list-type=2", "GET", {}),
        ("/metrics?AWSAccessKeyId=AKIA&Signature=s&Expires=1", "GET", {}),
        ("/metrics?X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", "GET", {}),
        ("/metrics", "GET", {"Host": "bucket.localhost:8470"}),  # the object `metrics` of a bucket
        ("/metrics", "GET", {"Host": "bucket.s3.localhost"}),
        ("/Metrics", "GET", {}),
    ],
)
def test_what_is_meant_for_a_bucket_or_object_of_that_name_goes_to_s3(
    target: str, method: str, headers: dict[str, str]
) -> None:
    assert _face(target, method, **headers) == "s3"
