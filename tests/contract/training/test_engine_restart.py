"""Engines that end and come back while no agent lives: the next one knows what ended by itself, and what did not."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagestone.agent.build import build_runtime
from sagestone.containers.engine.exit import inspect
from sagestone.containers.engine.http import EngineHttp
from sagestone.containers.runtime import ContainerSpec, Exit, Mount, Runtime
from tests.contract.training.training_instance import PATIENCE_SECONDS, Ground, Platform, TrainingInstance
from tests.engines import ENGINES
from tests.restarted_engine import RestartedEngine, restarted_engine, runs

#: Ends with `code` when the test says so, and with 3 when it is asked to end.
PROGRAM = """
    trap 'exit 3' TERM
    cd /opt/ml/input
    echo ready; touch ready
    until [ -e go ]; do sleep 0.05; done
    exit $CODE
"""
CODES = [0, 3, 143, 255]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the program did not come so far"
        time.sleep(0.02)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[RestartedEngine]:
    with restarted_engine(request.param) as started:
        yield started


@pytest.fixture(scope="module")
def platform(engine: RestartedEngine, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    return Platform.engine(engine.url, tmp_path_factory.mktemp("platform"))


class Containers:
    """Containers of `PROGRAM` that the test has end, or leaves running; by name, since an engine may be away."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._directories, self._pids = ground, dict[str, Path](), dict[str, int]()
        self.runtime: Runtime = build_runtime(ground.platform.part)
        self._http = EngineHttp(ground.platform.part.engine_url or "")

    def start(self, code: int = 0) -> str:
        name = f"sagestone-test-{self._ground.directory.name}-{len(self._directories)}"
        directory = self._ground.directory / name
        directory.mkdir()
        spec = ContainerSpec(
            name=name,
            image=self._ground.platform.digest,
            command=["train"],
            hostname="algo-1",
            environment={"PROGRAM": PROGRAM, "CODE": str(code)},
            mounts=[Mount(source=directory, target="/opt/ml/input")],
            labels={"sagestone.test": self._ground.directory.name},
        )
        self.runtime.start(self.runtime.create(spec))
        self._directories[name] = directory
        until((directory / "ready").exists)
        self._pids[name] = int(inspect(self._http, name)["State"]["Pid"])
        return name

    def pid(self, name: str) -> int:
        return self._pids[name]

    def end(self, name: str) -> None:
        """Have its program end by itself, whoever is there to see it."""
        (self._directories[name] / "go").touch()
        until(lambda: not runs(self._pids[name]))

    def await_end(self, name: str) -> None:
        """Have it end by itself, and the engine keep how: until its list shows the end it may forget it once more."""
        self.end(name)
        until(lambda: name not in {each.name for each in self.runtime.find({}) if each.running})

    def ended(self, name: str) -> Exit:
        end = self.runtime.wait(name, 60)
        assert end is not None, f"{name} did not end"
        return end


@pytest.fixture
def containers(ground: Ground) -> Iterator[Containers]:
    made = Containers(ground)
    yield made
    for container in made.runtime.find({"sagestone.test": ground.directory.name}):
        made.runtime.remove(container.id)


def test_an_engine_that_is_asked_to_end(engine: RestartedEngine, containers: Containers) -> None:
    before = {code: containers.start(code) for code in CODES}
    for name in before.values():
        containers.await_end(name)
    running = containers.start()
    engine.stop()
    engine.start()
    assert {code: containers.ended(name) for code, name in before.items()} == {code: Exit(code=code) for code in CODES}
    if containers.runtime.name == "docker":
        assert containers.ended(running) == Exit(code=137, taken_along=True)
    else:  # nobody needs Podman's daemon
        assert containers.runtime.wait(running, 0) is None
        containers.end(running)
        assert containers.ended(running) == Exit(code=0)


def test_an_engine_that_is_killed(engine: RestartedEngine, containers: Containers) -> None:
    before, meanwhile, running = containers.start(255), containers.start(4), containers.start(5)
    containers.await_end(before)
    engine.kill()
    containers.end(meanwhile)
    engine.start()
    assert [containers.ended(before), containers.ended(meanwhile)] == [Exit(code=255), Exit(code=4)]
    if containers.runtime.name == "docker":
        assert containers.ended(running) == Exit(code=137, taken_along=True)
    else:
        containers.end(running)
        assert containers.ended(running) == Exit(code=5)


def test_a_machine_that_goes_down(engine: RestartedEngine, containers: Containers) -> None:
    before, running = containers.start(255), containers.start()
    containers.await_end(before)
    engine.lose()
    engine.start()
    assert containers.ended(before) == Exit(code=255)
    assert containers.ended(running).taken_along
    found = {each.name: each for each in containers.runtime.find({})}
    assert (found[running].started, found[running].running) == (True, False)  # so nobody starts it once more
    assert containers.runtime.stop(running, 0).taken_along


def test_a_container_that_loses_what_watches_it(engine: RestartedEngine, containers: Containers) -> None:
    """Docker notices; Podman goes on to call it running."""
    running = containers.start()
    waits = ThreadPoolExecutor(1).submit(containers.ended, running)
    engine.unwatch(containers.pid(running))
    assert waits.result(PATIENCE_SECONDS).code == 137
    assert waits.result().taken_along == (containers.runtime.name == "podman")


def test_the_next_agent_blames_nobody_for_it(engine: RestartedEngine, ground: Ground) -> None:
    """Nor does it hide behind the engine what a program did itself."""
    ended = TrainingInstance(ground, PROGRAM, name="ended", environment={"CODE": "3"}).start()
    running = TrainingInstance(ground, PROGRAM, name="runs", environment={"CODE": "3"}).start()
    for instance in (ended, running):
        instance.await_line("ready")
        instance.kill()
    (ended.files.opt_ml / "input" / "go").touch()
    (container,) = ground.platform.runtime.find(ended.assignment.labels)
    assert ground.platform.runtime.wait(container.id, 60) == Exit(code=3)
    until(lambda: not any(each.running for each in ground.platform.runtime.find(ended.assignment.labels)))
    engine.lose()
    engine.start()
    own, taken = ended.run(), running.run()
    assert (own.exit_code, own.failure and own.failure.fault) == (3, "algorithm")
    assert taken.failure is not None
    assert taken.failure.fault == "internal"
    assert "went down with this machine" in taken.failure.message
    assert [instance.left_behind() for instance in (ended, running)] == [[], []]
