"""A service that is killed: what was registered is there, what ran goes on once, nothing is left behind."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.service import RunningService, eventually
from tests.system.validation import BUCKET, finished, job_of, log_lines, reason, specification, stages_of


def _start(service: RunningService, name: str, mode: str, **training: Any) -> None:
    request = specification(
        name, "tests/train:1", "tests/serve:1", training={"HyperParameters": {"mode": mode}, **training}
    )
    service.client("sagemaker").create_algorithm(**request)


def _is_training(service: RunningService, name: str) -> bool:
    found = service.client("sagemaker").list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    return bool(found) and job_of(service, "training", name)["SecondaryStatus"] == "Training"


def _agents(service: RunningService) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if "sagestone.agent" in line and str(service.home) in line]


@pytest.fixture
def restarted(service: RunningService) -> Iterator[RunningService]:
    """The module's service, up again after the test."""
    yield service
    eventually(lambda: not _agents(service), "every agent has ended")


def test_a_job_that_runs_while_the_service_is_killed_is_found_again_and_run_once(restarted: RunningService) -> None:
    service = restarted
    _start(service, "survivor", "slow")
    eventually(lambda: _is_training(service, "survivor"), "the training container runs")
    service.kill()
    service.start()
    description = finished(service, "survivor")
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    job = job_of(service, "training", "survivor")
    lines = log_lines(service, "training", job["TrainingJobName"])
    assert lines.count("mode slow on algo-1") == 1
    assert stages_of(job) == [
        "Starting", "Downloading", "Training", "Uploading", "Completed",
    ]  # fmt: skip
    out = service.client("s3").get_object(Bucket=BUCKET, Key="out/first.csv.out")["Body"].read()
    assert out == b"r1;ok\nr2;ok\nr3;ok\n"


def test_what_was_answered_is_there_after_a_kill(restarted: RunningService) -> None:
    service = restarted
    sagemaker = service.client("sagemaker")
    request = specification("kept", "tests/train:1")
    del request["ValidationSpecification"]
    arn = sagemaker.create_algorithm(**request, Tags=[{"Key": "team", "Value": "forest"}])["AlgorithmArn"]
    service.client("s3").put_object(Bucket=BUCKET, Key="kept/object", Body=b"kept")
    service.kill()
    service.start()
    assert finished(service, "kept")["AlgorithmArn"] == arn
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "forest"}]
    assert service.client("s3").get_object(Bucket=BUCKET, Key="kept/object")["Body"].read() == b"kept"


def test_a_stopped_service_leaves_a_job_running_and_finds_it_again(restarted: RunningService) -> None:
    service = restarted
    _start(service, "patient", "slow")
    eventually(lambda: _is_training(service, "patient"), "the training container runs")
    assert service.stop() == 0
    service.start()
    assert finished(service, "patient")["AlgorithmStatus"] == "Completed"


def test_nothing_is_left_of_finished_jobs(restarted: RunningService) -> None:
    service = restarted
    _start(service, "tidy", "plain")
    finished(service, "tidy")
    jobs = service.home / "jobs"

    def is_clean() -> bool:
        return not [file for _, _, files in os.walk(jobs) for file in files] and not _agents(service)

    eventually(is_clean, f"nothing is left below {jobs}")
    mounts = Path("/proc/mounts").read_text()
    assert str(service.home) not in mounts
