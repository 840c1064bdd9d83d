"""From CreateTrainingJob to the instance's start: with a warm pool, beside a job that starts cold."""

import time
from typing import Any

import boto3

from bench.report import Figure, median, show
from bench.service import IMAGE, RunningService, service

_ROUNDS = 8
_BETWEEN_JOBS_SECONDS = 1.5  # the pool is ready by then


def main() -> None:
    """Cold and warm by turns, and print the medians."""
    cold, warm = [], []
    with service() as running:
        for number in range(_ROUNDS):
            cold.append(_seconds_to_start(running, f"cold-{number}", keep_alive=300))
            time.sleep(_BETWEEN_JOBS_SECONDS)
            warm.append(_seconds_to_start(running, f"warm-{number}", keep_alive=0))  # takes over, and keeps nothing
    show(
        f"starting an instance (sandbox runtime, median of {_ROUNDS} rounds)",
        [
            Figure(name="cold", value=median(cold), unit="s"),
            Figure(name="from a warm pool", value=median(warm), unit="s"),
            Figure(name="cold beside warm", value=median(cold) / median(warm), unit="x"),
        ],
    )


def _seconds_to_start(running: RunningService, name: str, keep_alive: int) -> float:
    session = boto3.Session(
        aws_access_key_id=running.keys[0], aws_secret_access_key=running.keys[1], region_name="us-east-1"
    )
    sagemaker = session.client("sagemaker", endpoint_url=running.endpoint)
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::123456789012:role/Bench",
        OutputDataConfig={"S3OutputPath": "s3://bench/models"},
        ResourceConfig={
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
            "KeepAlivePeriodInSeconds": keep_alive,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        EnableNetworkIsolation=True,
    )
    shown: dict[str, Any] = {}
    while shown.get("TrainingJobStatus") not in ("Failed", "Completed"):  # the image has nothing to run: it fails
        time.sleep(0.05)
        shown = sagemaker.describe_training_job(TrainingJobName=name)
    took: float = (shown["TrainingStartTime"] - shown["CreationTime"]).total_seconds()
    return took
