"""Two services on one PostgreSQL database and one S3 store: work is shared, and nothing is done twice."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.postgres import PostgresServer
from tests.s3_face import ACCESS_KEY, SECRET_KEY, running_face
from tests.system.service import REGION, RunningService, eventually
from tests.system.training import ended, reaches, train, training_request
from tests.system.validation import BUCKET, finished, job_of, log_lines, reason, specification

pytestmark = pytest.mark.postgres

PATIENCE = "4"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def pair(
    server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, archives: list[str]
) -> Iterator[tuple[RunningService, RunningService]]:
    """Two homes with the same keys, each with the images."""
    with running_face(tmp_path_factory.mktemp("s3")) as face:
        environment = {
            "SAGESTONE_RUNTIME": "sandbox",
            "SAGESTONE_DATABASE": server.url,
            "SAGESTONE_SERVICE_PATIENCE_SECONDS": PATIENCE,
            "SAGESTONE_S3_ENDPOINT": face.endpoint,
            "SAGESTONE_S3_ACCESS_KEY": ACCESS_KEY,
            "SAGESTONE_S3_SECRET_KEY": SECRET_KEY,
            "SAGESTONE_CPUS": "2",
            "SAGESTONE_MEMORY_GB": "4",
        }
        face.client().create_bucket(Bucket=BUCKET)
        for key, body in {"train/a.csv": b"1,2\n", "batch/first.csv": b"r1\nr2\n"}.items():
            face.client().put_object(Bucket=BUCKET, Key=key, Body=body)
        services = [RunningService(tmp_path_factory.mktemp(word) / "home", environment) for word in ("one", "other")]
        try:
            for service in services:
                service.home.mkdir()
                if service is not services[0]:
                    keys = (services[0].home / "credentials.json").read_bytes()
                    (service.home / "credentials.json").write_bytes(keys)
                service.start()
                assert service.command("image", "load", *archives).returncode == 0
            yield services[0], services[1]
        finally:
            for service in services:
                service.stop()


def places(job: str, *services: RunningService) -> list[str]:
    """The homes that have something of that job."""
    return [service.home.parent.name for service in services if any((service.home / "jobs").glob(f"t*/{job}/algo-*"))]


def test_validations_asked_of_both_are_each_carried_out_once(pair: tuple[RunningService, RunningService]) -> None:
    one, other = pair
    names = [f"shared-{number}" for number in range(3)]
    for number, name in enumerate(names):
        pair[number % 2].client("sagemaker").create_algorithm(
            **specification(name, "tests/train:1", "tests/serve:1")
        )  # fmt: skip
    for number, name in enumerate(names):
        described = finished(pair[(number + 1) % 2], name)  # asked of the one, told by the other
        assert described["AlgorithmStatus"] == "Completed", reason(described)
    ran = {}
    for name in names:
        job = job_of(one, "training", name)["TrainingJobName"]
        assert job == job_of(other, "training", name)["TrainingJobName"]
        lines = [lines for service in pair if (lines := lines_of(service, job))]
        ran[name] = len(lines)
        assert [text.count("mode plain on algo-1") for text in lines] == [1]
    assert set(ran.values()) == {1}


def lines_of(service: RunningService, job: str) -> list[str]:
    """Its log, where that service ran it."""
    logs = service.client("logs")
    try:
        return log_lines(service, "training", job)
    except logs.exceptions.ResourceNotFoundException:
        return []


def test_a_stop_that_one_is_asked_for_reaches_the_other(pair: tuple[RunningService, RunningService]) -> None:
    one, other = pair
    one.client("sagemaker").create_training_job(**training_request("stopped", "polite"))
    reaches(other, "stopped", "Training")
    (place,) = places("stopped", *pair)
    asked = other if place.startswith("one") else one
    asked.client("sagemaker").stop_training_job(TrainingJobName="stopped")
    assert ended(asked, "stopped")["TrainingJobStatus"] == "Stopped"


def test_a_service_that_comes_back_in_time_has_its_job(pair: tuple[RunningService, RunningService]) -> None:
    one, other = pair
    one.client("sagemaker").create_training_job(**training_request("patient", "slow"))
    reaches(other, "patient", "Training")
    (place,) = places("patient", *pair)
    owner = one if place.startswith("one") else other
    owner.kill()
    owner.start()
    assert ended(owner, "patient")["TrainingJobStatus"] == "Completed"
    assert lines_of(owner, "patient").count("mode slow on algo-1") == 1


def test_the_jobs_of_a_service_that_is_gone_fail_with_a_reason(pair: tuple[RunningService, RunningService]) -> None:
    """It only stands still: when it goes on it puts away what ran all the time."""
    one, other = pair
    one.client("sagemaker").create_training_job(**training_request("orphan", "polite"))
    reaches(other, "orphan", "Training")
    (place,) = places("orphan", *pair)
    owner, left = (one, other) if place.startswith("one") else (other, one)
    os.kill(owner.pid, signal.SIGSTOP)
    try:
        described = ended(left, "orphan")
        assert described["TrainingJobStatus"] == "Failed"
        assert "which ran the job, is gone: it was last heard of at 20" in described["FailureReason"]
        assert train(left, training_request("after"))["TrainingJobStatus"] == "Completed"
        assert places("orphan", owner) != []  # its agent and container went on
    finally:
        os.kill(owner.pid, signal.SIGCONT)
    eventually(lambda: places("orphan", owner) == [], "what is left of the orphan is put away")
    assert ended(owner, "orphan")["FailureReason"] == described["FailureReason"]


def test_while_the_database_is_away_requests_are_told_and_jobs_go_on(
    pair: tuple[RunningService, RunningService], server: PostgresServer
) -> None:
    one, other = pair
    one.client("sagemaker").create_training_job(**training_request("through", "slow"))
    reaches(other, "through", "Training")
    server.stop()
    client = one.client("sagemaker", retries={"max_attempts": 1})
    calls: list[Callable[[], Any]] = [
        lambda: client.describe_training_job(TrainingJobName="through"),
        lambda: client.create_training_job(**training_request("refused")),
    ]
    for call in calls:
        with pytest.raises(client.exceptions.ClientError, match="does not answer") as told:
            call()
        assert told.value.response["Error"]["Code"] == "ServiceUnavailable"
        assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    server.start()
    described = ended(other, "through")
    assert described["TrainingJobStatus"] == "Completed"
    (log,) = [lines for service in pair if (lines := lines_of(service, "through"))]
    assert log.count("mode slow on algo-1") == 1
    for service in pair:
        text = (service.home.parent / "service.log").read_text()
        assert "Traceback" not in text


def test_a_service_with_objects_of_its_own_is_refused(
    pair: tuple[RunningService, RunningService], server: PostgresServer, tmp_path: Path
) -> None:
    alone = RunningService(tmp_path / "home", {"SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_DATABASE": server.url})
    with pytest.raises(AssertionError, match="set up differently: s3_endpoint is the embedded store of"):
        alone.start()


def test_keys_that_all_share_are_good_everywhere(pair: tuple[RunningService, RunningService]) -> None:
    one, other = pair
    assumed = one.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session")
    found = assumed["Credentials"]
    session = boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region_name=REGION)
    sts = session.client("sts", endpoint_url=other.endpoint)
    assert sts.get_caller_identity()["Arn"].endswith("assumed-role/r/session")
