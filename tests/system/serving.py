"""Models and transform jobs for tests, and waiting for their end."""

import io
import tarfile
from typing import Any

from tests.system.service import RunningService
from tests.system.validation import BUCKET, ROLE

QUICK = {"Delay": 1, "MaxAttempts": 90}


def archive(service: RunningService, key: str) -> str:
    """A model.tar.gz with one file in it; its URI."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("model.csv")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"1,2"))
    service.client("s3").put_object(Bucket=BUCKET, Key=key, Body=packed.getvalue())
    return f"s3://{BUCKET}/{key}"


def create_model(service: RunningService, name: str, uri: str | None = None, **environment: str) -> str:
    """A model of the tests' serving image; its ARN."""
    container = {"Image": "tests/serve:1", "Environment": environment}
    if uri is not None:
        container["ModelDataUrl"] = uri
    answer = service.client("sagemaker").create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return str(answer["ModelArn"])


def transform(name: str, model: str, **members: Any) -> dict[str, Any]:
    """A CreateTransformJob request of lines."""
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/{name}", "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **members,
    }


def wait(service: RunningService, name: str) -> dict[str, Any]:
    """The description of the job after botocore's own waiter."""
    sagemaker = service.client("sagemaker")
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=name, WaiterConfig=QUICK)
    return dict(sagemaker.describe_transform_job(TransformJobName=name))


def outputs(service: RunningService, prefix: str) -> dict[str, bytes]:
    """The objects below a prefix, by the rest of their keys."""
    s3 = service.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", [])
    return {
        each["Key"].removeprefix(f"{prefix}/"): s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in listed
    }
