"""A home on a disk that is full: told in a sentence, nothing half done, and all is well once there is room again."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.small_disk import resize, small_disk
from tests.system.service import RunningService, eventually
from tests.system.validation import finished, job_of, log_lines, reason, specification, upload

EXAMPLE = Path(__file__).parents[2] / "examples" / "random-forest" / "algorithm.json"

Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Gives a file system of so many bytes, or sizes it anew."""
    with small_disk(tmp_path / "disk", "size=64k") as place:

        def sized(size: str) -> Path:
            resize(place, size)
            return place

        yield sized


def test_a_service_that_has_no_room_to_start(disk: Disk) -> None:
    home = disk("64k")
    environment = {**os.environ, "SAGESTONE_HOME": str(home), "SAGESTONE_RUNTIME": "sandbox"}
    for arguments in (["up"], ["validate", str(EXAMPLE)], ["demo"]):
        done = subprocess.run(
            [sys.executable, "-m", "sagestone", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert (done.returncode, "Traceback" in done.stderr) == (3, False)
        assert "full" in done.stderr
    command = [sys.executable, "-m", "sagestone", "doctor", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert next(each for each in json.loads(found.stdout) if each["subject"] == "home")["level"] == "bad"


def test_a_disk_that_fills_up_and_is_freed(disk: Disk, archives: list[str]) -> None:
    service = RunningService(disk("64m") / "home", {"SAGESTONE_RUNTIME": "sandbox"})
    service.start()
    try:
        assert service.command("image", "load", archives[0]).returncode == 0
        s3, sagemaker = (service.client(name, retries={"max_attempts": 1}) for name in ("s3", "sagemaker"))
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="kept", Body=b"kept")
        request = specification("kept", "tests/train:1")
        del request["ValidationSpecification"]
        sagemaker.create_algorithm(**request)
        for size in (4_000_000, 1000):
            put = partial(_put, s3, bytes(size))
            refusal = _fill(put)
            assert refusal["Error"]["Code"] == "InsufficientStorage"
        refusal = _fill(lambda n: sagemaker.create_algorithm(**{**request, "AlgorithmName": f"more-{n}"}))
        assert "is full, so nothing was changed" in refusal["Error"]["Message"]
        listed = {row["AlgorithmName"] for row in sagemaker.list_algorithms(MaxResults=100)["AlgorithmSummaryList"]}
        assert "kept" in listed
        assert s3.get_object(Bucket="bucket", Key="kept")["Body"].read() == b"kept"
        disk("128m")
        sagemaker.create_algorithm(**{**request, "AlgorithmName": "again"})
        s3.put_object(Bucket="bucket", Key="again", Body=b"again")
        service.kill()
        service.start()
        for name in ("kept", "again"):
            assert sagemaker.describe_algorithm(AlgorithmName=name)["AlgorithmName"] == name
            assert s3.get_object(Bucket="bucket", Key=name)["Body"].read() == name.encode()
    finally:
        service.stop()


def test_a_job_whose_disk_is_full_says_so_and_leaves_nothing(disk: Disk, archives: list[str]) -> None:
    service = RunningService(disk("64m") / "home", {"SAGESTONE_RUNTIME": "sandbox"})
    service.start()
    try:
        assert service.command("image", "load", archives[0]).returncode == 0
        upload(service, {"train/a.csv": b"1,2\n"})
        request = specification("waits", "tests/train:1", training={"HyperParameters": {"mode": "slow"}})
        service.client("sagemaker").create_algorithm(**request)
        eventually(lambda: b'"Training"' in _events(service), "the program is started")
        job = job_of(service, "training", "waits")["TrainingJobName"]
        eventually(lambda: "loss=0.5" in log_lines(service, "training", job), "the program runs")
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={service.home / 'filler'}", "bs=4k"], capture_output=True, check=False
        )
        ends = "sandbox/containers/*/exit.json"  # its model of a few bytes finds no room
        eventually(lambda: bool(list(service.home.glob(ends))), "the program ends")
        time.sleep(5)  # for its agent to see that: nothing can tell of it, on a disk that is full
        (service.home / "filler").unlink()
        description = finished(service, "waits")
        assert "exit code: 1" in reason(description)
        assert "The disk of this machine, which holds /opt/ml, was full" in reason(description)
        assert log_lines(service, "training", job).count("loss=0.5") == 1
        eventually(lambda: not list((service.home / "jobs" / "training").iterdir()), "nothing is left of the job")
        assert list((service.home / "sandbox" / "containers").iterdir()) == []
    finally:
        service.stop()


def _events(service: RunningService) -> bytes:
    return b"".join(path.read_bytes() for path in (service.home / "jobs").glob("*/*/*/events.jsonl"))


def _put(s3: Any, body: bytes, number: int) -> None:
    s3.put_object(Bucket="bucket", Key=f"{len(body)}-{number}", Body=body)


def _fill(write: Callable[[int], Any]) -> dict[str, Any]:
    """Write until it is refused; the refusal."""
    for number in range(10_000):
        try:
            write(number)
        except ClientError as error:
            return dict(error.response)
    raise AssertionError("there is always room")
