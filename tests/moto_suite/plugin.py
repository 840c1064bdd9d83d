"""The pytest plugin under moto's tests: a fresh real service for each test in the place of moto's mock."""

import contextlib
import fnmatch
import inspect
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import moto
import pytest

from tests.images import write_archive
from tests.moto_suite.left_out import LEFT_OUT
from tests.moto_suite.repairs import IMAGE, register
from tests.system.service import RunningService

_DATA = "sagemaker/DEMO-breast-cancer-prediction/"
_OBJECTS = ("input", f"{_DATA}/train/a", f"{_DATA}/validation/a")  # two slashes, as the suite has them
_ENVIRONMENT = {"SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_TRAINING_STOP_SECONDS": "1"}


def _instead_of_the_mock(function: Callable[..., Any] | None = None, **_: object) -> Any:
    """`@mock_aws` leaves a test as it is, `with mock_aws():` does nothing: the service is there already."""
    return function if function is not None else contextlib.nullcontext()


def _frozen(*_: object) -> Any:
    """The suite freezes the mock's clock: a service has its own, and a request signed at another time is refused."""
    return contextlib.nullcontext()


def pytest_configure() -> None:
    """Before the suite's modules take moto's name."""
    moto.__dict__["mock_aws"] = _instead_of_the_mock
    clock = ModuleType("freezegun")
    clock.__dict__["freeze_time"] = _frozen
    sys.modules["freezegun"] = clock


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what asserts something that SageMaker does not do; the summary has the reasons."""
    names = {_name(item) for item in items}
    unknown = [pattern for pattern in _patterns() if not fnmatch.filter(names, pattern)]
    if unknown and not config.option.keyword:
        raise pytest.UsageError(f"the suite has no test {', '.join(unknown)} any more: see left_out.py")
    others = [item for item in items if any(fnmatch.fnmatchcase(_name(item), pattern) for pattern in _patterns())]
    items[:] = [item for item in items if item not in others]
    config.hook.pytest_deselected(items=others)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason to leave tests out."""
    for reason, patterns in LEFT_OUT.items():
        terminalreporter.write_line(f"LEFT OUT: {', '.join(patterns)}: {reason}")


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the image and the data that the suite names; here they train nothing."""
    directory = tmp_path_factory.mktemp("prepared")
    home = directory / "home"
    home.mkdir()
    service = RunningService(home, _ENVIRONMENT)
    written = write_archive(directory / "image.tar", IMAGE, {"/usr/local/bin/train": b"#!/bin/sh\n"})
    loaded = service.command("image", "load", str(written.path))
    assert loaded.returncode == 0, loaded.stderr
    service.start()
    try:
        s3 = service.client("s3")
        s3.create_bucket(Bucket="my-bucket")
        for key in _OBJECTS:
            s3.put_object(Bucket="my-bucket", Key=key, Body=b"1\n")
    finally:
        service.stop()
    return home


@pytest.fixture(autouse=True)
def service(
    request: pytest.FixtureRequest, prepared_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A service with an empty account, in the region that the test names; boto3's environment points at it."""
    named = re.search(r'region_name ?= ?"([a-z0-9-]+)"', inspect.getsource(request.function))
    region = named[1] if named else "us-east-1"
    shutil.copytree(prepared_home, tmp_path / "home", symlinks=True)
    running = RunningService(tmp_path / "home", {**_ENVIRONMENT, "SAGESTONE_REGION": region})
    running.start()
    try:
        access_key, secret_key = running.keys()
        for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
        register(boto3.DEFAULT_SESSION)
        yield
    finally:
        running.stop()


def _patterns() -> list[str]:
    return [pattern for patterns in LEFT_OUT.values() for pattern in patterns]


def _name(item: pytest.Item) -> str:
    return item.name.split("[")[0]
