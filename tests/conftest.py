"""What all tests share: real engines, started once and only when a test asks for one."""

from collections.abc import Iterator

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.by_engine import ByEngine
from tests.clients.choice import deselect_other_clients, report_other_clients
from tests.engines import deselect_missing_engines, report_missing_engines, running_engine
from tests.postgres import deselect_missing_postgres, end_postgres, report_missing_postgres

# No test judges how quick this machine is. What fails once is to fail again, so the same examples are drawn every time;
# `./run test --hypothesis-profile drawn` draws others.
hypothesis.settings.register_profile("sagestone", deadline=None, derandomize=True)
hypothesis.settings.register_profile("drawn", deadline=None)
hypothesis.settings.load_profile("sagestone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run or is not asked for; the summary says so."""
    deselect_missing_engines(config, items)
    deselect_other_clients(config, items)
    deselect_missing_postgres(config, items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Tests on one engine stay on one process, which starts it once; the tests of one file stay together too."""
    return ByEngine(config, log)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their number: what was compressed differs a little each time, names must not."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what could not be tested on this machine."""
    report_missing_engines(terminalreporter)
    report_other_clients(terminalreporter)
    report_missing_postgres(terminalreporter)


def pytest_unconfigure() -> None:
    """Nothing goes on after the tests."""
    end_postgres()


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
