"""The requests of the scenarios: CreateAlgorithm with a profile, and CreateTrainingJob."""

from typing import Any, Final

from tests.crash.programs import HEAVY_BYTES, MODEL_BYTES, SERVE, TRAIN
from tests.crash.scenario import RETRIES, Scenario

BUCKET: Final = "crash"
THEIR_BUCKET: Final = "crash-theirs"
VOLUME_KEY: Final = "alias/aws/ebs"
LEDGER: Final = "fs-0123456789abcdef0"
SEAL: Final = "alias/crash"
OTHER_ACCOUNT: Final = "210987654321"

_SECONDS: Final = 240  # that programs may run: none of them hangs
_HOURS: Final = 36_000  # what the time of day bounds, which may jump
_METRICS: Final = [{"Name": "loss", "Regex": "loss=([0-9.]+);"}]


def bucket_of(scenario: Scenario) -> str:
    """Where its data are, and what it makes."""
    return THEIR_BUCKET if scenario.theirs else BUCKET


def create_request(scenario: Scenario) -> tuple[str, dict[str, Any]]:
    """The call that asks for it, and its parameters; all objects lie below its name."""
    if scenario.kind == "validation":
        return "create_algorithm", _algorithm(scenario)
    return "create_training_job", _job(scenario)


def _algorithm(scenario: Scenario) -> dict[str, Any]:
    channels = [{"Name": "train", "SupportedContentTypes": ["x"], "SupportedInputModes": [scenario.mode]}]
    if not scenario.theirs:
        channels.append({"Name": "ledger", "SupportedContentTypes": ["x"], "SupportedInputModes": ["File"]})
    profile = {
        "ProfileName": "profile",
        "TrainingJobDefinition": {"TrainingInputMode": scenario.mode, **_training(scenario)},
        "TransformJobDefinition": _transform(scenario),
    }
    return {
        "AlgorithmName": scenario.name,
        "TrainingSpecification": {
            "TrainingImage": TRAIN,
            "SupportedHyperParameters": [{"Name": name, "Type": "FreeText"} for name in ("mode", "bytes")],
            "SupportedTrainingInstanceTypes": ["ml.m5.large"],
            "SupportsDistributedTraining": True,
            "MetricDefinitions": _METRICS,
            "TrainingChannels": channels,
        },
        "InferenceSpecification": {
            "Containers": [{"Image": SERVE}] * scenario.containers,
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ValidationSpecification": {"ValidationRole": _role(scenario), "ValidationProfiles": [profile]},
    }


def _job(scenario: Scenario) -> dict[str, Any]:
    specified = {"TrainingImage": TRAIN, "TrainingInputMode": scenario.mode, "MetricDefinitions": _METRICS}
    request = {
        "TrainingJobName": scenario.name,
        "AlgorithmSpecification": specified,
        "RoleArn": _role(scenario),
        **_training(scenario),
    }
    if scenario.kind == "spot":
        request["EnableManagedSpotTraining"] = True
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = _HOURS
        request["CheckpointConfig"] = {"S3Uri": f"s3://{bucket_of(scenario)}/{scenario.name}/checkpoints"}
    if scenario.kind == "warm":
        request["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 600
    if scenario.kind == "retried":
        request["RetryStrategy"] = {"MaximumRetryAttempts": RETRIES}
    return request


def _training(scenario: Scenario) -> dict[str, Any]:
    bucket, sealed = bucket_of(scenario), scenario.sealed
    train = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/", "S3DataDistributionType": "FullyReplicated"}
    ledger = {
        "FileSystemId": LEDGER,
        "FileSystemType": "EFS",
        "FileSystemAccessMode": "rw",
        "DirectoryPath": "/ledger",
    }
    channels = [{"ChannelName": "train", "ContentType": "x", "DataSource": {"S3DataSource": train}}]
    if not scenario.theirs:  # file systems are the first account's alone
        source = {"FileSystemDataSource": ledger}
        channels.append({"ChannelName": "ledger", "ContentType": "x", "InputMode": "File", "DataSource": source})
    return {
        "HyperParameters": {"mode": scenario.mode, "bytes": str(HEAVY_BYTES if scenario.heavy else MODEL_BYTES)},
        "InputDataConfig": channels,
        "OutputDataConfig": {
            "S3OutputPath": f"s3://{bucket}/{scenario.name}/models",
            **({"KmsKeyId": SEAL} if sealed else {}),
        },
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": scenario.hosts,
            "VolumeSizeInGB": 1,
            **({"VolumeKmsKeyId": VOLUME_KEY} if scenario.volume else {}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": _SECONDS},
    }


def _transform(scenario: Scenario) -> dict[str, Any]:
    bucket = bucket_of(scenario)
    return {
        "BatchStrategy": "SingleRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/batch/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{bucket}/{scenario.name}/out",
            "Accept": "text/csv",
            "AssembleWith": "None",
            **({"KmsKeyId": SEAL} if scenario.sealed else {}),
        },
        "TransformResources": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": scenario.transforms,
            **({"VolumeKmsKeyId": VOLUME_KEY} if scenario.volume else {}),
        },
    }


def _role(scenario: Scenario) -> str:
    return f"arn:aws:iam::{OTHER_ACCOUNT if scenario.theirs else '123456789012'}:role/Validation"
