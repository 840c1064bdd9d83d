"""FastFile channels of very many objects on real engines, which have to see what is mounted after they were started."""

from pathlib import Path

import pytest

from tests.contract.training.engine_platform import platform
from tests.contract.training.test_fast_file_large import _large, test_all_files_are_there_and_can_be_read
from tests.contract.training.training_instance import Ground, Platform

__all__ = ["_large", "platform", "test_all_files_are_there_and_can_be_read"]


@pytest.fixture
def ground(platform: Platform, tmp_path: Path) -> Ground:
    """The embedded store; what differs with another one is not the engine's."""
    return Ground(platform=platform, directory=tmp_path)
