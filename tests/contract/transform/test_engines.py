"""The transform agent on real engines: the tests of the other modules that depend on what an engine does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.domain.image import ImageReference
from tests.contract.training.training_instance import Ground, Platform
from tests.contract.transform.test_endings import (
    test_a_container_that_ignores_sigterm_is_killed,
    test_an_agent_that_dies_is_followed_by_one_that_goes_on,
)
from tests.contract.transform.test_failures import (
    test_a_container_that_dies_in_the_middle_is_noticed_at_once,
    test_a_container_that_ends_before_it_is_ready,
)
from tests.contract.transform.test_pace import test_a_container_that_listens_late_and_then_warms_up_is_waited_for
from tests.contract.transform.test_pipeline import (
    test_containers_find_each_other_by_name_and_ports_by_their_variables,
    test_data_goes_through_all_containers_in_order,
    test_the_container_that_dies_is_named,
)
from tests.contract.transform.test_transform import (
    test_a_job_turns_every_object_into_its_output,
    test_requests_are_concurrent_and_answers_in_order,
)
from tests.contract.transform.transform_instance import bound_image, serving_engine
from tests.engines import ENGINES

__all__ = [
    "test_a_container_that_dies_in_the_middle_is_noticed_at_once",
    "test_a_container_that_ends_before_it_is_ready",
    "test_a_container_that_ignores_sigterm_is_killed",
    "test_a_container_that_listens_late_and_then_warms_up_is_waited_for",
    "test_a_job_turns_every_object_into_its_output",
    "test_an_agent_that_dies_is_followed_by_one_that_goes_on",
    "test_containers_find_each_other_by_name_and_ports_by_their_variables",
    "test_data_goes_through_all_containers_in_order",
    "test_requests_are_concurrent_and_answers_in_order",
    "test_the_container_that_dies_is_named",
]


@pytest.fixture(scope="module", params=ENGINES)
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The engine with the serving image."""
    return serving_engine(request.getfixturevalue(f"{request.param}_engine"), tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def bound(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> ImageReference:
    return bound_image(platform, tmp_path_factory.mktemp("bound"))


@pytest.fixture
def ground(platform: Platform, tmp_path: Path) -> Iterator[Ground]:
    """A directory of its own; no container or network is left on the engine."""
    runtime = platform.runtime
    before = {container.id for container in runtime.find({})}
    made = Ground(platform=platform, directory=tmp_path)
    yield made
    assert {container.id for container in runtime.find({})} == before
