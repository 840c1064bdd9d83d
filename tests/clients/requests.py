"""What the clients ask for: an algorithm with a validation, a training job of it, a transform job of its model."""

from typing import Any

from tests.system.validation import BUCKET, ROLE, specification

TYPE = "ml.m5.large"
RESOURCES = {"InstanceType": TYPE, "InstanceCount": 1}


def algorithm(name: str, bucket: str = BUCKET) -> dict[str, Any]:
    """CreateAlgorithm with a validation profile over the objects of `bucket`."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/", "S3DataDistributionType": "FullyReplicated"}
    channel = {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
    training = {"InputDataConfig": [channel], "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"}}
    transform = {
        "TransformInput": _transform_input(bucket),
        "TransformOutput": {"S3OutputPath": f"s3://{bucket}/validated", "AssembleWith": "Line"},
    }
    return specification(name, "tests/train:1", "tests/serve:1", training=training, transform=transform)


def training(name: str, algorithm_name: str, bucket: str = BUCKET) -> dict[str, Any]:
    """CreateTrainingJob of that algorithm."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"AlgorithmName": algorithm_name, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {**RESOURCES, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def transform(name: str, model: str, bucket: str = BUCKET) -> dict[str, Any]:
    """CreateTransformJob with that model, from `batch/` to `out/`."""
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": _transform_input(bucket),
        "TransformOutput": {"S3OutputPath": f"s3://{bucket}/out", "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": RESOURCES,
    }


def _transform_input(bucket: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/batch"}
    return {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"}
