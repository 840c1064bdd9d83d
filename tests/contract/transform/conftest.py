"""What tests of transform instances run on: the sandbox, or the engine of a module with a `platform` of its own."""

from pathlib import Path

import pytest

from tests.contract.training.training_instance import Ground, Platform
from tests.contract.transform.transform_instance import serving_sandbox


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A sandbox with the serving image."""
    return serving_sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture
def ground(platform: Platform, tmp_path: Path) -> Ground:
    """A directory and a store of the test's own."""
    return Ground(platform=platform, directory=tmp_path)
