"""A validation whose data lies on a file system that the service is told of, asked for by boto3."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.system.service import RunningService
from tests.system.validation import job_of, specification, upload, validate

EFS = "fs-0123456789abcdef0"


def _source(name: str = EFS, path: str = "/train") -> dict[str, dict[str, str]]:
    asked = {"FileSystemId": name, "FileSystemType": "EFS", "FileSystemAccessMode": "ro", "DirectoryPath": path}
    return {"FileSystemDataSource": asked}


@pytest.fixture(scope="module")
def mounted_service(tmp_path_factory: pytest.TempPathFactory, archives: list[str]) -> Iterator[RunningService]:
    """A service in the sandbox whose settings file names one file system."""
    directory = tmp_path_factory.mktemp("mounted")
    (directory / "efs" / "train").mkdir(parents=True)
    (directory / "efs" / "train" / "a.csv").write_bytes(b"1,2\n")
    (directory / "home").mkdir()
    (directory / "home" / "sagestone.toml").write_text(
        f'[file_systems.{EFS}]\ntype = "EFS"\ndirectory = "{directory / "efs"}"\n'
    )
    service = RunningService(directory / "home", {"SAGESTONE_RUNTIME": "sandbox"})
    service.start()
    try:
        loaded = service.command("image", "load", *archives)
        assert loaded.returncode == 0, loaded.stderr
        upload(service, {})
        yield service
    finally:
        service.stop()


def test_a_profile_trains_on_a_file_system(mounted_service: RunningService) -> None:
    request = specification("mounted", "tests/train:1")
    job = request["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]
    job["InputDataConfig"][0]["DataSource"] = _source()
    description = validate(mounted_service, request)
    assert description["AlgorithmStatus"] == "Completed", description["AlgorithmStatusDetails"]
    described = description["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]
    assert described["InputDataConfig"][0]["DataSource"] == _source()
    training = job_of(mounted_service, "training", "mounted")
    assert training["InputDataConfig"][0]["DataSource"] == _source()
    assert (mounted_service.home.parent / "efs" / "train" / "a.csv").read_bytes() == b"1,2\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (_source(name="fs-12345678"), "Say in sagestone.toml where it is mounted: .file_systems.fs-12345678."),
        (_source(path="/nowhere"), "'/nowhere' is not there"),
        (_source(path="/../home"), "is not an absolute path without"),
    ],
)
def test_what_is_not_there_is_refused_at_once(
    mounted_service: RunningService, source: dict[str, dict[str, str]], words: str
) -> None:
    request = specification("refused", "tests/train:1")
    job = request["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]
    job["InputDataConfig"][0]["DataSource"] = source
    with pytest.raises(ClientError, match=words):
        mounted_service.client("sagemaker").create_algorithm(**request)


def test_doctor_tells_when_it_is_gone(mounted_service: RunningService, tmp_path: Path) -> None:
    mounted = mounted_service.home.parent / "efs"
    shown = mounted_service.command("doctor").stdout
    assert EFS in shown
    shutil.move(mounted, tmp_path / "elsewhere")
    try:
        answer = mounted_service.command("doctor")
        assert "is not there; mount it" in " ".join(answer.stdout.split())
        assert answer.returncode == 3
    finally:
        shutil.move(tmp_path / "elsewhere", mounted)
