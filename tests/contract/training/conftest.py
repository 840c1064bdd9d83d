"""What tests of training instances run on: the sandbox, or the engine of a module with a `platform` of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.containers.labels import job_labels, network_name
from tests.contract.training.training_instance import HOME, JOB, Ground, Platform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A sandbox with the training image."""
    return Platform.sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture
def ground(platform: Platform, tmp_path: Path) -> Ground:
    """A directory and a store of the test's own."""
    return Ground(platform=platform, directory=tmp_path)


@pytest.fixture
def network(platform: Platform) -> Iterator[str]:
    """The network of the hosts of JOB."""
    name = network_name(HOME, JOB)
    platform.runtime.create_network(name, job_labels(HOME, JOB))
    yield name
    platform.runtime.remove_network(name)
