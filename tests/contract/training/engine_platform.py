"""The `platform` of modules that run training instances on real engines: to be imported there."""

import pytest

from tests.contract.training.training_instance import Platform
from tests.engines import ENGINES


@pytest.fixture(scope="module", params=ENGINES)
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """An engine with the training image."""
    url = request.getfixturevalue(f"{request.param}_engine")
    return Platform.engine(url, tmp_path_factory.mktemp(request.param))
