"""Homes that earlier versions wrote: opened with this one, all is found, and what ran is taken up."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.golden_home import GOLDEN, make_home
from tests.system.service import RunningService
from tests.system.training import ended, log_of

HOMES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())


@pytest.fixture(scope="module", params=HOMES)
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningService, dict[str, Any]]]:
    """A service of this version on that home, and what the earlier one had shown."""
    home = tmp_path_factory.mktemp("upgraded") / "home"
    expected = make_home(GOLDEN / request.param, home)
    service = RunningService(home, {"SAGESTONE_RUNTIME": "sandbox"})
    service.start()
    try:
        yield service, expected
    finally:
        service.stop()


def _shown(answer: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """As in the golden file; what later versions show besides is not compared."""
    plain: dict[str, Any] = json.loads(json.dumps(answer, default=str))
    return {name: value for name, value in plain.items() if name in expected}


def _in_whole_seconds(job: dict[str, Any]) -> dict[str, Any]:
    """A job as it is shown today: fractions of the times of its final metrics are shown no longer."""
    metrics = [
        {**metric, "Timestamp": str(datetime.fromisoformat(metric["Timestamp"]).replace(microsecond=0))}
        for metric in job["FinalMetricDataList"]
    ]
    return {**job, "FinalMetricDataList": metrics}


def test_everything_is_found(upgraded: tuple[RunningService, dict[str, Any]]) -> None:
    service, expected = upgraded
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    algorithm = sagemaker.describe_algorithm(AlgorithmName="validated")
    assert _shown(algorithm, expected["algorithm"]) == expected["algorithm"]
    assert sagemaker.list_tags(ResourceArn=algorithm["AlgorithmArn"])["Tags"] == expected["tags"]
    job = sagemaker.describe_training_job(TrainingJobName="done")
    assert _shown(job, expected["job"]) == _in_whole_seconds(expected["job"])
    assert log_of(service, "done") == expected["log"]
    listed = {each["Key"]: each["ETag"] for each in s3.list_objects_v2(Bucket="tests")["Contents"]}
    assert expected["objects"].items() <= listed.items()
    for key in expected["objects"]:
        assert len(s3.get_object(Bucket="tests", Key=key)["Body"].read()) >= 0
    part = s3.list_parts(Bucket="tests", Key="joined", UploadId=expected["upload"])["Parts"][0]
    assert part["Size"] == len(b"one part\n")


def test_what_ran_is_taken_up_and_ends_since_its_container_is_gone(
    upgraded: tuple[RunningService, dict[str, Any]],
) -> None:
    service, expected = upgraded
    job = ended(service, expected["running"])
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"]
    assert not any((service.home / "jobs").glob("training/*/algo-1/agent.lock"))


@pytest.mark.parametrize(
    ("database", "statement", "words"),
    [
        ("state.sqlite3", "INSERT INTO migrations VALUES (999, 'later')", "step 999"),
        ("s3/index.sqlite3", "PRAGMA user_version = 999", "format 999"),
    ],
)
def test_databases_of_a_newer_version_are_refused_and_left_alone(
    tmp_path: Path, database: str, statement: str, words: str
) -> None:
    home = tmp_path / "home"
    make_home(GOLDEN / HOMES[-1], home)
    with closing(sqlite3.connect(home / database, isolation_level=None)) as connection:
        connection.execute(statement)
    told = RunningService(home, {"SAGESTONE_RUNTIME": "sandbox"}).command("up")
    assert told.returncode == 3
    assert words in told.stderr
    assert "Traceback" not in told.stderr


def test_a_home_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "version.json").write_text('{"format": 999, "version": "9.9.9"}')
    told = RunningService(home, {"SAGESTONE_RUNTIME": "sandbox"}).command("up")
    assert told.returncode == 3
    assert "was used by Sagestone 9.9.9 (format 999)" in told.stderr
    assert sorted(path.name for path in home.iterdir()) == ["service.lock", "version.json"]
