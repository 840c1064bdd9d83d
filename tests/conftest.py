"""What all tests share: real engines, started once and only when a test asks for one."""

from collections.abc import Iterator

import pytest

from tests.engines import deselect_missing_engines, report_missing_engines, running_engine


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what no engine here can run; the summary says so."""
    deselect_missing_engines(config, items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line what could not be tested on this machine."""
    report_missing_engines(config, terminalreporter)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[str]:
    """The url of a real dockerd of the tests' own."""
    with running_engine("docker") as url:
        yield url


@pytest.fixture(scope="session")
def podman_engine() -> Iterator[str]:
    """The url of a real Podman service of the tests' own."""
    with running_engine("podman") as url:
        yield url
