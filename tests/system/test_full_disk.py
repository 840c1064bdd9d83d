"""A home on a disk that is full: told in a sentence, nothing half done, and all is well once there is room again."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.system.service import RunningService
from tests.system.validation import specification

EXAMPLE = Path(__file__).parents[2] / "examples" / "random-forest" / "algorithm.json"

Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Makes a file system of so many bytes, or sizes it anew."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    place = tmp_path / "disk"
    place.mkdir()

    def make(size: str) -> Path:
        again = ["-o", f"remount,size={size}"] if os.path.ismount(place) else ["-t", "tmpfs", "-o", f"size={size}"]
        mounted = subprocess.run(["mount", *again, "none", str(place)], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"this machine mounts nothing: {mounted.stderr}")
        return place

    yield make
    if os.path.ismount(place):
        subprocess.run(["umount", str(place)], check=True)


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
