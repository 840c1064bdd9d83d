"""What need not be kept goes, of a real service at work; what anybody needs stays."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.prepared import prepared_service
from tests.system.service import RunningService, eventually
from tests.system.training import ended, log_of, reaches, train, training_request
from tests.system.validation import finished, specification

DAY = 86400.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, archives: list[str]) -> Iterator[RunningService]:
    """One that keeps logs and unused images for a day."""
    environment = {
        "SAGESTONE_RUNTIME": "sandbox",
        "SAGESTONE_RETENTION_LOGS_DAYS": "1",
        "SAGESTONE_RETENTION_IMAGES_DAYS": "1",
    }
    with prepared_service(tmp_path_factory.mktemp("clean"), environment, archives) as running:
        yield running


def _age(path: Path, days: float) -> None:
    """As if it had been left alone for so long."""
    at = time.time() - days * DAY
    os.utime(path, (at, at))


def _logs(service: RunningService, job: str) -> list[Path]:
    return list((service.home / "logs").rglob(f"{job}/*.log"))


def _clean(service: RunningService, *options: str) -> list[tuple[str, str]]:
    told = service.command("clean", "--json", *options)
    assert told.returncode == 0, told.stderr
    answer: dict[str, Any] = json.loads(told.stdout)
    assert answer["count"] == len(answer["gone"])
    return sorted((each["kind"], each["name"]) for each in answer["gone"])


def _delete(service: RunningService, job: str) -> None:
    """Its row goes, its log stays."""
    sagemaker = service.client("sagemaker")
    sagemaker.delete_training_job(TrainingJobName=job)
    eventually(lambda: not sagemaker.list_training_jobs(NameContains=job)["TrainingJobSummaries"], f"{job} is gone")


def _leave_behind(service: RunningService) -> None:
    """An upload that nobody goes on with, a blob of a killed writer, a forgotten file of the cache."""
    s3 = service.client("s3")
    upload = s3.create_multipart_upload(Bucket="tests", Key="forgotten")["UploadId"]
    s3.upload_part(Bucket="tests", Key="forgotten", UploadId=upload, PartNumber=1, Body=b"p" * 1000)
    with sqlite3.connect(service.home / "s3" / "index.sqlite3") as index:
        index.execute("UPDATE upload SET begun_at = begun_at - ?", (10 * DAY,))
        index.execute("UPDATE part SET modified_at = modified_at - ?", (10 * DAY,))
    index.close()
    s3.create_multipart_upload(Bucket="tests", Key="going-on")
    blob = service.home / "s3" / "blobs" / "ab" / ("ab" + "0" * 30)
    blob.parent.mkdir(exist_ok=True)
    blob.write_bytes(b"killed")
    cached = service.home / "cache" / "images" / "old.tar"
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(b"built")
    _age(cached, 40)
    (cached.parent / "new.tar").write_bytes(b"built")


def test_what_need_not_be_kept_goes_and_what_is_needed_stays(service: RunningService) -> None:
    sagemaker = service.client("sagemaker")
    sagemaker.create_algorithm(**specification("needs-its-image", "tests/train:1"))
    finished(service, "needs-its-image")
    train(service, training_request("old"))
    train(service, training_request("young"))
    long = {"StoppingCondition": {"MaxRuntimeInSeconds": 600}}
    sagemaker.create_training_job(**training_request("running", "polite", **long))
    reaches(service, "running", "Training")
    eventually(lambda: bool(log_of(service, "running")), "the running job has written")
    _delete(service, "old")
    for path in [*_logs(service, "old"), *_logs(service, "running"), *_logs(service, "young")]:
        _age(path, 3)
    for document in (service.home / "sandbox" / "images" / "store").glob("*/image.json"):
        _age(document, 3)
    _leave_behind(service)
    (stream,) = _logs(service, "old")
    expected = [
        ("blob", "ab" + "0" * 30),
        ("cache", "old.tar"),
        ("image", "tests/empty:1"),
        ("image", "tests/serve:1"),
        ("log", str(stream.relative_to(service.home / "logs"))),
        ("upload", "s3://tests/forgotten"),
    ]
    assert _clean(service, "--dry-run") == expected
    assert stream.exists()
    assert _clean(service) == expected
    assert not stream.parent.exists()
    assert _logs(service, "young"), "its job ended just now, after a long silence"
    assert _logs(service, "running")
    assert [each["Key"] for each in service.client("s3").list_multipart_uploads(Bucket="tests")["Uploads"]] == [
        "going-on"
    ]
    assert _clean(service) == []
    sagemaker.stop_training_job(TrainingJobName="running")
    assert ended(service, "running")["TrainingJobStatus"] == "Stopped"
    assert "mode polite on algo-1" in log_of(service, "running")
    names = [name for image in json.loads(service.command("image", "list", "--json").stdout) for name in image["names"]]
    assert [name for name in names if "tests/train" in name]
    assert not [name for name in names if "tests/serve" in name]


def test_a_home_without_a_service_is_cleaned_too(service: RunningService) -> None:
    _delete(service, "young")
    (stream,) = _logs(service, "young")
    _age(stream, 3)
    service.stop()
    try:
        assert _clean(service) == [("log", str(stream.relative_to(service.home / "logs")))]
    finally:
        service.start()
