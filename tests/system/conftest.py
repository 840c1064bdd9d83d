"""One real service per runtime, with the tests' images and data in it."""

from collections.abc import Iterator

import pytest

from tests.engines import ENGINES
from tests.system.prepared import prepared_service
from tests.system.programs import empty_archive, serving_archive, training_archive
from tests.system.service import RunningService

RUNTIMES = ["sandbox", *ENGINES]


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
    with prepared_service(factory.mktemp(runtime), environment, archives) as service:
        yield service
