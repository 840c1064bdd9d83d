"""The clients of the tests: each with a service that has the tests' images and data, and a proxy that refuses all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.client import Client
from tests.clients.environments import environment
from tests.clients.proxy import refusing_proxy
from tests.system.prepared import prepared_service
from tests.system.programs import serving_archive, training_archive
from tests.system.service import RunningService


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service on the sandbox runtime."""
    images = tmp_path_factory.mktemp("images")
    archives = [str(write(images).path) for write in (training_archive, serving_archive)]
    with prepared_service(tmp_path_factory.mktemp("clients"), {"SAGESTONE_RUNTIME": "sandbox"}, archives) as running:
        yield running


@pytest.fixture(scope="module")
def variables(service: RunningService) -> dict[str, str]:
    """The variables that a user sets, as the command line prints them."""
    printed = service.command("env", "--json")
    assert printed.returncode == 0, printed.stderr
    return dict(json.loads(printed.stdout))


@pytest.fixture
def client(
    request: pytest.FixtureRequest, service: RunningService, variables: dict[str, str], tmp_path: Path
) -> Iterator[Client]:
    """The client that the test's marker names."""
    marker = request.node.get_closest_marker("client")
    with refusing_proxy() as proxy:
        yield Client(
            environment=environment(marker.args[0]), service=service, proxy=proxy, home=tmp_path, variables=variables
        )
