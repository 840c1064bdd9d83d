"""Ctrl-C, SIGTERM, SIGHUP, and a service that goes away while somebody watches."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.service import RunningService, eventually
from tests.system.validation import reason, specification, upload


@pytest.fixture
def home(tmp_path: Path, archives: list[str]) -> Iterator[RunningService]:
    """A home with images and data; its service does not run."""
    service = RunningService(
        tmp_path / "home", {"SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_TRAINING_STOP_SECONDS": "2"}
    )
    service.start()
    assert service.command("image", "load", *archives).returncode == 0
    upload(service, {"train/a.csv": b"1,2\n"})
    assert service.stop() == 0
    yield service
    service.stop()


def _validate(service: RunningService, directory: Path, name: str) -> "subprocess.Popen[str]":
    spec = directory / f"{name}.json"
    spec.write_text(json.dumps(specification(name, "tests/train:1", training={"HyperParameters": {"mode": "hang"}})))
    return subprocess.Popen(
        [sys.executable, "-m", "sagestone", "validate", str(spec), "--home", str(service.home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_TRAINING_STOP_SECONDS": "2"},
    )


def _until_it_trains(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if "mode hang on algo-1" in line:
            return
    raise AssertionError(f"it did not train: {process.communicate()}")


def _nothing_runs(service: RunningService) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return str(service.home) not in listed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_validation_stops_its_job(home: RunningService, tmp_path: Path, number: signal.Signals) -> None:
    process = _validate(home, tmp_path, "interrupted")
    _until_it_trains(process)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=90)
    assert process.returncode == 130
    assert "stopping the job" in complaint
    assert "Traceback" not in complaint
    eventually(lambda: _nothing_runs(home), "nothing runs for the home")
    assert not [path for path in (home.home / "jobs").rglob("*") if path.is_file()]
    home.start()
    description = home.client("sagemaker").describe_algorithm(AlgorithmName="interrupted")
    assert description["AlgorithmStatus"] == "Failed"
    assert "stopped" in reason(description)


def test_with_a_service_that_goes_on_the_job_goes_on(home: RunningService, tmp_path: Path) -> None:
    home.start()
    process = _validate(home, tmp_path, "watched")
    _until_it_trains(process)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=90)
    assert process.returncode == 130
    assert "the validation goes on" in complaint
    sagemaker = home.client("sagemaker")
    assert sagemaker.describe_algorithm(AlgorithmName="watched")["AlgorithmStatus"] == "InProgress"
    (job,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])
    eventually(lambda: not list((home.home / "jobs" / "training").iterdir()), "the job is put away")


def test_a_service_that_is_killed_is_told(home: RunningService, tmp_path: Path) -> None:
    home.start()
    process = _validate(home, tmp_path, "orphan")
    _until_it_trains(process)
    home.kill()
    _, complaint = process.communicate(timeout=90)
    assert (process.returncode, "Traceback" in complaint) == (3, False)
    assert "the service does not answer" in complaint
    home.start()
    sagemaker = home.client("sagemaker")
    (job,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])
    eventually(lambda: not list((home.home / "jobs" / "training").iterdir()), "the job is put away")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_service_stops_cleanly(home: RunningService, number: signal.Signals) -> None:
    home.start()
    eventually((home.home / "service.json").exists, "commands can find the service")  # a moment after its first answer
    os.kill(home.pid, number)
    assert home.wait() == 0
    assert not (home.home / "service.json").exists()
