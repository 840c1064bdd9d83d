"""CreateAlgorithm requests for tests: one that uses nearly everything, and ways to change a single member of it."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from sagestone.domain.rules.specification import specification_violations

DIGEST = "sha256:" + "5e" * 32

FULL: dict[str, Any] = {
    "AlgorithmName": "trees",
    "AlgorithmDescription": "Decision trees",
    "TrainingSpecification": {
        "TrainingImage": "trees:1",
        "SupportedHyperParameters": [
            {
                "Name": "depth",
                "Type": "Integer",
                "Range": {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "10"}},
                "IsTunable": True,
                "DefaultValue": "3",
            },
            {
                "Name": "rate",
                "Type": "Continuous",
                "Range": {"ContinuousParameterRangeSpecification": {"MinValue": "0.0", "MaxValue": "1.0"}},
                "IsRequired": True,
            },
            {
                "Name": "criterion",
                "Type": "Categorical",
                "Range": {"CategoricalParameterRangeSpecification": {"Values": ["gini", "entropy"]}},
            },
            {"Name": "note", "Type": "FreeText"},
        ],
        "SupportedTrainingInstanceTypes": ["ml.m5.large", "ml.m5.xlarge", "ml.g5.xlarge"],
        "SupportsDistributedTraining": True,
        "MetricDefinitions": [{"Name": "validation:accuracy", "Regex": "accuracy: ([0-9.]+)"}],
        "TrainingChannels": [
            {
                "Name": "train",
                "IsRequired": True,
                "SupportedContentTypes": ["text/csv"],
                "SupportedCompressionTypes": ["None", "Gzip"],
                "SupportedInputModes": ["File", "Pipe"],
            },
            {"Name": "validation", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]},
        ],
        "SupportedTuningJobObjectiveMetrics": [{"Type": "Maximize", "MetricName": "validation:accuracy"}],
    },
    "InferenceSpecification": {
        "Containers": [{"Image": "trees:1", "Environment": {"WORKERS": "2"}}],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
    "ValidationSpecification": {
        "ValidationRole": "arn:aws:iam::123456789012:role/Validation",
        "ValidationProfiles": [
            {
                "ProfileName": "first",
                "TrainingJobDefinition": {
                    "TrainingInputMode": "File",
                    "HyperParameters": {"rate": "0.5"},
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
                },
                "TransformJobDefinition": {
                    "MaxConcurrentTransforms": 2,
                    "MaxPayloadInMB": 6,
                    "BatchStrategy": "MultiRecord",
                    "TransformInput": {
                        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/batch/"}},
                        "ContentType": "text/csv",
                        "SplitType": "Line",
                    },
                    "TransformOutput": {"S3OutputPath": "s3://data/out", "Accept": "text/csv", "AssembleWith": "Line"},
                    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
                },
            }
        ],
    },
}

TRAINING = "TrainingSpecification"
PROFILE = "ValidationSpecification.ValidationProfiles.0"
JOB = f"{PROFILE}.TrainingJobDefinition"
TRANSFORM = f"{PROFILE}.TransformJobDefinition"
LEFT_OUT = object()


def full_request() -> dict[str, Any]:
    """A copy of the request that uses nearly everything."""
    return deepcopy(FULL)


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """The full request with members set by their path (`A.B.0.C`), or taken away by LEFT_OUT."""
    return with_changes(FULL, changes)


def with_changes(request: dict[str, Any], changes: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A copy of any request, changed as `changed` does."""
    request = deepcopy(request)
    for path, value in changes:
        *steps, last = path.split(".")
        place: Any = request
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if value is LEFT_OUT:
            del place[last]
        elif isinstance(place, list):
            place[int(last) : int(last) + 1] = [value]
        else:
            place[last] = value
    return request


def texts(*changes: tuple[str, Any]) -> list[str]:
    """The violations of the full request with those changes."""
    return [violation.text for violation in specification_violations(changed(*changes))]
