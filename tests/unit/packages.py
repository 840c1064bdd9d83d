"""CreateModelPackage requests for tests."""

from copy import deepcopy
from typing import Any

import pytest

from sagestone.wire.errors import ConflictException, ValidationException
from tests.unit.requests import full_request
from tests.unit.served import Served

ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/Packaging"
ARCHIVE = "s3://data/models/model.tar.gz"
INFERENCE: dict[str, Any] = {
    "Containers": [{"Image": "trees:1", "ModelDataUrl": ARCHIVE, "Environment": {"WORKERS": "2", "MODE": "a"}}],
    "SupportedTransformInstanceTypes": ["ml.m5.large"],
    "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
TRANSFORM: dict[str, Any] = full_request()["ValidationSpecification"]["ValidationProfiles"][0]["TransformJobDefinition"]
VALIDATION = {
    "ValidationRole": ROLE,
    "ValidationProfiles": [{"ProfileName": "batch", "TransformJobDefinition": TRANSFORM}],
}
REQUEST: dict[str, Any] = {"ModelPackageName": "oak", "InferenceSpecification": INFERENCE}


def refusal(served: Served, operation: str, **members: Any) -> str:
    """What the operation is refused with."""
    with pytest.raises((ValidationException, ConflictException)) as caught:
        served.call(operation, members)
    return str(caught.value)


def described(served: Served, name: str = "oak") -> dict[str, Any]:
    """The package as DescribeModelPackage shows it."""
    return served.sagemaker("DescribeModelPackage", ModelPackageName=name)


def version(served: Served, group: str = "forest", **members: Any) -> str:
    """Make a version, and its group if it is the first; the ARN."""
    if not served.sagemaker("ListModelPackageGroups", NameContains=group)["ModelPackageGroupSummaryList"]:
        served.sagemaker("CreateModelPackageGroup", ModelPackageGroupName=group)
    request = {"ModelPackageGroupName": group, "InferenceSpecification": deepcopy(INFERENCE), **members}
    return str(served.call("CreateModelPackage", request)["ModelPackageArn"])
