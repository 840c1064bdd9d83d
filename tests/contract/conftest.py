"""What the contract tests run on: each store; real engines and the sandbox, each with the two test images."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.agent.build import build_runtime
from sagestone.agent.parts import RuntimePart
from sagestone.store.interface import Store
from tests.contract.runtimes import ENTRYPOINT_IMAGE, IMAGE, MADE, Bench
from tests.contract.stores import STORES, OpenStore
from tests.engines import ENGINES
from tests.images import script, write_archive

_tests = itertools.count(1)

RUNTIMES = ["sandbox", *ENGINES]


@pytest.fixture(params=sorted(STORES))
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """How each store is opened."""
    return STORES[request.param]


@pytest.fixture
def store(open_store: OpenStore, tmp_path: Path) -> Iterator[Store]:
    """A new store of each kind."""
    opened = open_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def runtime_archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Archives of the two images that every runtime under test holds."""
    directory = tmp_path_factory.mktemp("images")
    entry = script('echo "entry: $*"; echo "in $PWD"; echo "$FIRST $SECOND $THIRD"')
    return [
        write_archive(directory / "busybox.tar", IMAGE, {}).path,
        write_archive(
            directory / "entrypoint.tar",
            ENTRYPOINT_IMAGE,
            {"/usr/local/bin/entry": entry, "/srv/work/file": b""},
            entrypoint=["entry"],
            cmd=["never"],
            env={"FIRST": "image's", "SECOND": "image's"},
            workdir="/srv/work",
        ).path,
    ]


@pytest.fixture(scope="session", params=RUNTIMES)
def part(
    request: pytest.FixtureRequest, runtime_archives: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> RuntimePart:
    """How any process builds the runtime under test, which holds the test images."""
    if request.param == "sandbox":
        directory = str(tmp_path_factory.mktemp("sandbox"))
        return _holding(RuntimePart(kind="sandbox", directory=directory), runtime_archives)
    url = request.getfixturevalue(f"{request.param}_engine")
    return _holding(RuntimePart(kind="engine", engine_url=url), runtime_archives)


@pytest.fixture(scope="session")
def sandbox_part(runtime_archives: list[Path], tmp_path_factory: pytest.TempPathFactory) -> RuntimePart:
    """The sandbox alone, for what it promises beyond the contract."""
    part = RuntimePart(kind="sandbox", directory=str(tmp_path_factory.mktemp("sandbox")))
    return _holding(part, runtime_archives)


def _holding(part: RuntimePart, archives: list[Path]) -> RuntimePart:
    runtime = build_runtime(part)
    for archive in archives:
        runtime.load_archive(archive)
    return part


@pytest.fixture
def bench(part: RuntimePart, tmp_path: Path) -> Iterator[Bench]:
    """The runtime under test; what a test leaves is removed."""
    bench = Bench(build_runtime(part), {"sagestone.test": f"{os.getpid()}-{next(_tests)}"}, tmp_path)
    yield bench
    for container in bench.runtime.find(bench.labels):
        bench.runtime.remove(container.id)
    for network in bench.runtime.find_networks(bench.labels):
        bench.runtime.remove_network(network)
    for image in list(bench.runtime.images()):
        if any(MADE in name for name in image.names):
            bench.runtime.remove_image(image.id)
