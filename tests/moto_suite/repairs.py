"""What moto's tests send and SageMaker refuses, put right before it leaves the client, so that the rest is tested.

A mock takes `arn:aws:sagemaker:…:x-x/foobar` for a role and `some-bucket` for an S3 URI; the service model does not.
Nothing else of a request is touched. What a test then asserts about such a value stands in `left_out.py`.
"""

from typing import Any

import boto3
from botocore.exceptions import ClientError

IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
_ROLE = "arn:aws:iam::123456789012:role/FakeRole"


def register(session: boto3.Session) -> None:
    """Put right what the clients of this session send."""
    for operation, repair in (
        ("CreateTrainingJob", _role_of_a_job),
        ("CreateModel", _model),
        ("CreateTransformJob", _transform_job),
        ("CreateModelPackage", _model_package),
    ):
        session.events.register(f"provide-client-params.sagemaker.{operation}", repair)


def _role_of_a_job(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """A role that is one."""
    return {**params, "RoleArn": _ROLE}


def _model(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """A role that is one; a container, without which there is no model."""
    return {"PrimaryContainer": {"Image": IMAGE}, **params, "ExecutionRoleArn": _ROLE}


def _transform_job(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """URIs that are some, no key or capture that names nothing, and a model that exists."""
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://my-bucket/input"}}}
    output = {name: value for name, value in params["TransformOutput"].items() if name != "KmsKeyId"}
    model = params["ModelName"].replace("_", "-")
    try:
        boto3.client("sagemaker").create_model(ModelName=model)
    except ClientError as refused:
        if "already exist" not in str(refused):
            raise
    return {
        **{name: value for name, value in params.items() if name != "DataCaptureConfig"},
        "ModelName": model,
        "TransformInput": {**params["TransformInput"], **source},
        "TransformOutput": {**output, "S3OutputPath": "s3://my-bucket/output"},
    }


def _model_package(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """A specification, which a package outside of a group must have."""
    if "ModelPackageGroupName" in params:
        return params
    specification = {
        "Containers": [{"Image": IMAGE}],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    return {"InferenceSpecification": specification, **params}
