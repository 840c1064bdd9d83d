"""A backup of a service at work, restored into an empty home: all that was there is there, and what ran says so."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.service import RunningService, eventually
from tests.system.training import ended, log_of, reaches, train, training_request
from tests.system.validation import finished, job_of, specification, validate


class _Traffic:
    """Changes things until the block is left: objects that tell their own key, algorithms, deletions."""

    def __init__(self, service: RunningService) -> None:
        self._service = service
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._write_objects, self._register)]
        self.registered: list[str] = []

    def __enter__(self) -> "_Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(60)

    def _write_objects(self) -> None:
        s3, number = self._service.client("s3"), 0
        while not self._ends.is_set():
            number += 1
            key = f"traffic/{number % 7}"
            s3.put_object(Bucket="tests", Key=key, Body=f"{key} {number}".encode() * 50)
            s3.delete_object(Bucket="tests", Key=f"traffic/{(number + 3) % 7}")

    def _register(self) -> None:
        sagemaker = self._service.client("sagemaker")
        while not self._ends.is_set():
            name = f"meanwhile-{len(self.registered)}"
            request = specification(name, "tests/train:1")
            del request["ValidationSpecification"]
            sagemaker.create_algorithm(**request)
            self.registered.append(name)


@pytest.fixture(scope="module")
def restored(
    sandbox_service: RunningService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningService, dict[str, Any]]]:
    """A service on what was restored, and what the first one had shown."""
    service, directory = sandbox_service, tmp_path_factory.mktemp("restored")
    known = _fill(service)
    file = directory / "backup.tar.gz"
    with _Traffic(service) as traffic:
        eventually(lambda: len(traffic.registered) > 5, "there is traffic")
        known["registered"] = list(traffic.registered)
        told = service.command("backup", str(file), "--images", "--json")
        assert told.returncode == 0, told.stderr
    service.client("sagemaker").stop_training_job(TrainingJobName="running")
    known["report"] = json.loads(told.stdout)
    known["file"] = file
    command = [sys.executable, "-m", "sagestone", "restore", str(file), "--home", str(directory / "home"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    known["restored"] = json.loads(done.stdout)
    second = RunningService(directory / "home", {"SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_MEMORY_GB": "1"})
    second.start()
    try:
        yield second, known
    finally:
        second.stop()


def _fill(service: RunningService) -> dict[str, Any]:
    """Something of everything; what Describe and the like showed of it."""
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    validate(service, specification("whole", "tests/train:1", "tests/serve:1"))
    arn = sagemaker.describe_algorithm(AlgorithmName="whole")["AlgorithmArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "forest"}])
    job = train(service, training_request("done"))
    upload = s3.create_multipart_upload(Bucket="tests", Key="joined")["UploadId"]
    s3.upload_part(Bucket="tests", Key="joined", UploadId=upload, PartNumber=1, Body=b"p" * 1000)
    long = {"StoppingCondition": {"MaxRuntimeInSeconds": 600}}
    sagemaker.create_training_job(**training_request("running", "polite", **long))
    reaches(service, "running", "Training")
    sagemaker.create_algorithm(**specification("validating", "tests/train:1"))  # waits: the other has the machine
    return {
        "algorithm": _plain(sagemaker.describe_algorithm(AlgorithmName="whole")),
        "arn": arn,
        "upload": upload,
        "job": _plain(job),
        "log": log_of(service, "done"),
        "keys": service.keys(),
        "objects": _kept_objects(service),
    }


def _kept_objects(service: RunningService) -> dict[str, bytes]:
    return _objects(service, "models/") | _objects(service, "out/") | _objects(service, "train/")


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _objects(service: RunningService, prefix: str) -> dict[str, bytes]:
    s3 = service.client("s3")
    listed = s3.list_objects_v2(Bucket="tests", Prefix=prefix).get("Contents", [])
    return {entry["Key"]: s3.get_object(Bucket="tests", Key=entry["Key"])["Body"].read() for entry in listed}


def test_every_algorithm_job_tag_log_and_object_is_there(restored: tuple[RunningService, dict[str, Any]]) -> None:
    service, known = restored
    sagemaker = service.client("sagemaker")
    assert service.keys() == known["keys"]
    assert _plain(sagemaker.describe_algorithm(AlgorithmName="whole")) == known["algorithm"]
    assert sagemaker.list_tags(ResourceArn=known["arn"])["Tags"] == [{"Key": "team", "Value": "forest"}]
    assert _plain(sagemaker.describe_training_job(TrainingJobName="done")) == known["job"]
    assert log_of(service, "done") == known["log"]
    for name in known["registered"]:
        assert sagemaker.describe_algorithm(AlgorithmName=name)["AlgorithmName"] == name
    found = _kept_objects(service)
    assert {key: found.get(key) for key in known["objects"]} == known["objects"]
    assert known["report"]["left_out"] == []


def test_what_changed_all_the_while_is_as_it_was_at_one_moment(restored: tuple[RunningService, dict[str, Any]]) -> None:
    objects = _objects(restored[0], "traffic/")
    for key, body in objects.items():
        (text,) = {body[start : start + len(body) // 50] for start in range(0, len(body), len(body) // 50)}
        assert text.startswith(f"{key} ".encode())
    numbers = sorted(int(body[: len(body) // 50].split()[1]) for body in objects.values())
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "the newest ones, and none from later"


def test_what_ran_ends_with_a_reason_that_says_why(restored: tuple[RunningService, dict[str, Any]]) -> None:
    service, known = restored
    assert "running" in known["restored"]["ended_jobs"]
    job = ended(service, "running")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: The service was restored from a backup of 2")
    assert log_of(service, "running").count("mode polite on algo-1") <= 1


def test_what_waited_for_capacity_runs(restored: tuple[RunningService, dict[str, Any]]) -> None:
    service, known = restored
    name = job_of(service, "training", "validating")["TrainingJobName"]
    assert name not in known["restored"]["ended_jobs"]
    assert finished(service, "validating")["AlgorithmStatus"] == "Completed"
    assert log_of(service, name).count("mode plain on algo-1") == 1


def test_the_restored_service_works(restored: tuple[RunningService, dict[str, Any]]) -> None:
    service, known = restored
    s3 = service.client("s3")
    part = s3.list_parts(Bucket="tests", Key="joined", UploadId=known["upload"])["Parts"][0]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket="tests", Key="joined", UploadId=known["upload"], MultipartUpload=parts)
    assert s3.get_object(Bucket="tests", Key="joined")["Body"].read() == b"p" * 1000
    description = validate(service, specification("anew", "tests/train:1", "tests/serve:1"))
    assert description["AlgorithmStatus"] == "Completed"


def test_a_backup_is_not_written_over_another_file(restored: tuple[RunningService, dict[str, Any]]) -> None:
    service, known = restored
    before = known["file"].read_bytes()
    told = service.command("backup", str(known["file"]))
    assert (told.returncode, "exists already" in told.stderr) == (1, True)
    assert known["file"].read_bytes() == before


def test_a_backup_that_is_killed_leaves_no_half_one(
    restored: tuple[RunningService, dict[str, Any]], tmp_path: Path
) -> None:
    service, _ = restored
    s3 = service.client("s3")
    for number in range(4):
        s3.put_object(Bucket="tests", Key=f"large/{number}", Body=os.urandom(16_000_000))
    file = tmp_path / "killed.tar.gz"
    command = [sys.executable, "-m", "sagestone", "backup", str(file), "--home", str(service.home)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: any(tmp_path.glob(".killed*")), "it packs")
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert not file.exists()
    s3.delete_objects(Bucket="tests", Delete={"Objects": [{"Key": f"large/{number}"} for number in range(4)]})
    assert service.command("backup", str(file)).returncode == 0
    assert file.exists()


def test_a_service_that_does_not_run_is_backed_up_too(
    restored: tuple[RunningService, dict[str, Any]], tmp_path: Path
) -> None:
    service, _ = restored
    service.stop()
    told = service.command("backup", str(tmp_path / "still.tar.gz"), "--json")
    assert (told.returncode, json.loads(told.stdout)["left_out"]) == (0, [])
    service.start()
