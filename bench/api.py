"""Requests per second: Describe and Create beside a bare hello of the same server, and beside moto's."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.generator import Rate, run_load
from bench.report import Figure, median, ratio, show
from bench.requests import signed_call
from bench.service import RunningService, free_port, service, wait_for_answer
from bench.specification import create_request

_ROUNDS = 3
_MOTO_KEYS = ("testing", "testing")


def main() -> None:
    """Measure in rounds, each beside the others, and print the medians."""
    rates: dict[str, list[float]] = {}
    with service() as ours, _moto() as theirs:
        run_load("127.0.0.1", ours.port, [_create(ours, "described")])
        run_load("127.0.0.1", theirs, [_moto_create(theirs, "described")])
        for number in range(_ROUNDS):
            hello = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            creates = [_create(ours, f"bench-{number}-{each}") for each in range(2000)]
            moto_creates = [_moto_create(theirs, f"bench-{number}-{each}") for each in range(200)]
            describe = signed_call(ours.endpoint, ours.keys, "DescribeAlgorithm", {"AlgorithmName": "described"})
            moto_describe = _moto_call(theirs, "DescribeTrainingJob", {"TrainingJobName": "described"})
            for name, port, requests in (
                ("hello", ours.port, [hello] * 10000),
                ("describe", ours.port, [describe] * 8000),
                ("moto describe", theirs, [moto_describe] * 400),
                ("create", ours.port, creates),
                ("moto create", theirs, moto_creates),
            ):
                rates.setdefault(name, []).append(_checked(name, run_load("127.0.0.1", port, requests)))
    middle = {name: median(values) for name, values in rates.items()}
    show(
        "requests per second (16 connections, one load process, median of 3 rounds)",
        [
            *(Figure(name=name, value=value, unit="/s") for name, value in middle.items()),
            ratio("describe / moto's DescribeTrainingJob", middle["describe"], middle["moto describe"], 20),
            ratio("describe / hello", middle["describe"], middle["hello"], 0.5),
            ratio("create (durable) / moto's CreateTrainingJob", middle["create"], middle["moto create"], 5),
        ],
    )


def _checked(name: str, rate: Rate) -> float:
    if rate.refused:
        raise RuntimeError(f"{name}: {rate.refused} requests were refused; the figure would mean nothing")
    return rate.per_second


def _create(ours: RunningService, name: str) -> bytes:
    return signed_call(ours.endpoint, ours.keys, "CreateAlgorithm", create_request(name))


@contextmanager
def _moto() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_answer(f"http://127.0.0.1:{port}/moto-api/data.json", process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _moto_create(port: int, name: str) -> bytes:
    parameters: dict[str, object] = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": "image:1", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/Bench",
        "InputDataConfig": [],
        "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    return _moto_call(port, "CreateTrainingJob", parameters)


def _moto_call(port: int, operation: str, parameters: dict[str, object]) -> bytes:
    return signed_call(f"http://127.0.0.1:{port}", _MOTO_KEYS, operation, parameters)
