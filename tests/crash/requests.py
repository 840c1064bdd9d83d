"""The validations: one way through the service each."""

from typing import Any, Final, Literal

from tests.crash.programs import SERVE, TRAIN

BUCKET: Final = "crash"
LEDGER: Final = "fs-0123456789abcdef0"

#: file: File mode, one host; pair: two hosts; pipe, fast_file: the input mode.
Kind = Literal["file", "pair", "pipe", "fast_file"]

_MODES: dict[Kind, str] = {"file": "File", "pair": "File", "pipe": "Pipe", "fast_file": "FastFile"}


def create_request(name: str, kind: Kind) -> dict[str, Any]:
    """CreateAlgorithm for a validation of that kind, with a transform; its objects lie below its name."""
    mode = _MODES[kind]
    return {
        "AlgorithmName": name,
        "TrainingSpecification": {
            "TrainingImage": TRAIN,
            "SupportedHyperParameters": [{"Name": "mode", "Type": "FreeText", "DefaultValue": "file"}],
            "SupportedTrainingInstanceTypes": ["ml.m5.large"],
            "SupportsDistributedTraining": True,
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
            "TrainingChannels": [
                {"Name": "train", "SupportedContentTypes": ["x"], "SupportedInputModes": [mode]},
                {"Name": "ledger", "SupportedContentTypes": ["x"], "SupportedInputModes": ["File"]},
            ],
        },
        "InferenceSpecification": {
            "Containers": [{"Image": SERVE}],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ValidationSpecification": {
            "ValidationRole": "arn:aws:iam::123456789012:role/Validation",
            "ValidationProfiles": [
                {
                    "ProfileName": "profile",
                    "TrainingJobDefinition": _training(name, kind, mode),
                    "TransformJobDefinition": _transform(name),
                }
            ],
        },
    }


def _training(name: str, kind: Kind, mode: str) -> dict[str, Any]:
    train = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/", "S3DataDistributionType": "FullyReplicated"}
    ledger = {
        "FileSystemId": LEDGER,
        "FileSystemType": "EFS",
        "FileSystemAccessMode": "rw",
        "DirectoryPath": "/ledger",
    }
    return {
        "TrainingInputMode": mode,
        "HyperParameters": {"mode": kind},
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "x", "DataSource": {"S3DataSource": train}},
            {
                "ChannelName": "ledger",
                "ContentType": "x",
                "InputMode": "File",
                "DataSource": {"FileSystemDataSource": ledger},
            },
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/{name}/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 2 if kind == "pair" else 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }


def _transform(name: str) -> dict[str, Any]:
    return {
        "BatchStrategy": "SingleRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/{name}/out", "Accept": "text/csv", "AssembleWith": "None"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
