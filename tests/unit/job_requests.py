"""CreateTrainingJob requests for tests: one by algorithm, one by image, and ways to change a single member of them."""

from typing import Any

from tests.unit.requests import with_changes

BY_IMAGE: dict[str, Any] = {
    "TrainingJobName": "Job-1",
    "AlgorithmSpecification": {"TrainingImage": "trees:1", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/Trainer",
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}},
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://data/models/"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}


def by_image(*changes: tuple[str, Any]) -> dict[str, Any]:
    """A job of an image, with members set by their path (`A.B.0.C`), or taken away by LEFT_OUT."""
    return with_changes(BY_IMAGE, changes)


def by_algorithm(*changes: tuple[str, Any]) -> dict[str, Any]:
    """A job of the algorithm `trees` of `tests.unit.requests`, which wants the hyperparameter `rate`."""
    algorithm = {"AlgorithmName": "trees", "TrainingInputMode": "File"}
    return with_changes({**BY_IMAGE, "AlgorithmSpecification": algorithm, "HyperParameters": {"rate": "0.5"}}, changes)
