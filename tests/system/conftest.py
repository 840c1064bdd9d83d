"""One real service per runtime, with the tests' images and data in it."""

from collections.abc import Iterator

import pytest

from tests.system.programs import empty_archive, serving_archive, training_archive
from tests.system.service import RunningService
from tests.system.validation import upload

RUNTIMES = [
    "sandbox",
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("podman", marks=pytest.mark.podman),
]
_DATA = {
    "train/a.csv": b"1,2\n3,4\n",
    "train/b.csv": b"5,6\n",
    "train/deep/c.csv": b"7,8\n",
    "batch/first.csv": b"r1\nr2\nr3\n",
    "batch/second.csv": b"s1\n",
}


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The tests' images as archives."""
    directory = tmp_path_factory.mktemp("images")
    return [str(write(directory).path) for write in (training_archive, empty_archive, serving_archive)]


@pytest.fixture(scope="module", params=RUNTIMES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, archives: list[str]
) -> Iterator[RunningService]:
    """A service on each runtime."""
    yield from _run(request, tmp_path_factory, archives, request.param)


@pytest.fixture(scope="module")
def sandbox_service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, archives: list[str]
) -> Iterator[RunningService]:
    """A service on the sandbox runtime, for what does not depend on the runtime."""
    yield from _run(request, tmp_path_factory, archives, "sandbox")


def _run(
    request: pytest.FixtureRequest, factory: pytest.TempPathFactory, archives: list[str], runtime: str
) -> Iterator[RunningService]:
    environment = {"SAGESTONE_RUNTIME": "sandbox"}
    if runtime != "sandbox":
        url = request.getfixturevalue(f"{runtime}_engine")
        environment = {"SAGESTONE_RUNTIME": "engine", "SAGESTONE_ENGINE_URL": url}
    environment |= {"SAGESTONE_TRAINING_STOP_SECONDS": "3", "SAGESTONE_TRANSFORM_STOP_SECONDS": "3"}
    environment |= {"SAGESTONE_PING_PATIENCE_SECONDS": "4", "SAGESTONE_MEMORY_GB": "1"}  # soon filled
    service = RunningService(factory.mktemp(runtime) / "home", environment)
    service.start()
    try:
        loaded = service.command("image", "load", *archives)
        assert loaded.returncode == 0, loaded.stderr
        upload(service, _DATA)
        yield service
    finally:
        service.stop()
