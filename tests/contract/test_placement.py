"""What placement promises, on this machine with real agent processes; the agents' containers are another test's."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from sagestone.agent.files import InstanceFiles
from sagestone.agent.parts import Parts, RuntimePart, S3Part
from sagestone.containers.labels import instance_labels
from sagestone.containers.runtime import RuntimeFailure
from sagestone.domain.assign import assign
from sagestone.domain.assignment import Assignment
from sagestone.domain.event import InstanceEvent
from sagestone.domain.instance import instance_facts
from sagestone.domain.transition import new_training_job
from sagestone.placement.capacity import Capacity
from sagestone.placement.interface import Placement, Reservation
from sagestone.placement.local import LocalPlacement
from sagestone.placement.nursery import Nursery
from tests.contract.bookkeeping_runtime import BookkeepingRuntime
from tests.documents import training_spec

KEY = "training/job"
GIB = 1024**3


class Machine:
    """A directory and a runtime that outlive the placements made on them."""

    def __init__(self, directory: Path) -> None:
        self.jobs = directory / "jobs"
        self.runtime = BookkeepingRuntime()
        self.logs = directory / "logs"

    def placement(
        self, environment: dict[str, str] | None = None, cpus: float = 4.0, gpus: tuple[str, ...] = ()
    ) -> LocalPlacement:
        """A placement as a service makes one at its start."""
        return LocalPlacement(
            jobs_directory=self.jobs,
            runtime=self.runtime,
            parts=Parts(
                runtime=RuntimePart(kind="sandbox"),
                s3=S3Part(kind="remote", endpoint_url="http://s3", secret_key="a secret"),
                logs_directory=str(self.logs),
            ),
            capacity=Capacity(cpus=cpus, memory_bytes=64 * GIB, gpus=gpus),
            catalogue=instance_facts,
            home="h",
            nursery=Nursery(
                os.environ if environment is None else environment,
                (sys.executable, "-m", "tests.contract.scripted_agent"),
            ),
        )

    def files(self, number: int = 1, key: str = KEY) -> InstanceFiles:
        return InstanceFiles.of(self.jobs, key, number)

    def lives(self, number: int = 1, key: str = KEY) -> list[dict[str, object]]:
        """What each agent of an instance wrote down at its start."""
        path = self.files(number, key).directory / "lives"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    placement = made.placement()
    for key in placement.find():
        placement.release(key)


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "not in 30 seconds"
        time.sleep(0.01)


def reserve(placement: Placement, key: str = KEY, instances: int = 1) -> Reservation | None:
    return placement.reserve(key, ["ml.m5.large"] * instances, 0)


def assignments(reservation: Reservation | None, how: str, name: str = "job") -> Sequence[Assignment]:
    assert reservation is not None
    spec = replace(training_spec(name, instances=len(reservation.limits)), hyperparameters={"how": how})
    job = new_training_job(spec, 1000.0)
    return assign(job, limits=reservation.limits, network=reservation.network, region="r")


def start(placement: Placement, how: str, instances: int = 1) -> None:
    placement.start(assignments(reserve(placement, instances=instances), how))


def ended(placement: Placement, number: int = 1) -> InstanceEvent | None:
    events = [event for event in placement.events(KEY, {}) if event.instance == number]
    return events[-1] if events and events[-1].outcome else None


class TestPlacement:
    def test_agents_carry_out_what_is_started_and_tell_it_in_order(self, machine: Machine) -> None:
        placement = machine.placement()
        start(placement, "complete", instances=2)
        wait_until(lambda: ended(placement, 1) and ended(placement, 2))
        for number in (1, 2):
            told = [event for event in placement.events(KEY, {}) if event.instance == number]
            assert [event.seq for event in told] == [1, 2]
            assert [event.stage for event in told] == ["Training", None]
        assert placement.events(KEY, {1: 2, 2: 2}) == []
        assert [event.instance for event in placement.events(KEY, {1: 2})] == [2, 2]
        wait_until(lambda: not placement.lost(KEY))

    @pytest.mark.parametrize("isolated", [True, False])
    def test_hosts_get_a_network_when_they_start_which_leads_outward_or_not(
        self, machine: Machine, isolated: bool
    ) -> None:
        placement = machine.placement()
        reservation = reserve(placement, instances=2)
        assert reservation is not None
        assert machine.runtime.networks == {}
        spec = replace(training_spec(instances=2), hyperparameters={"how": "complete"}, isolated=isolated)
        hosts = assign(
            new_training_job(spec, 1000.0), limits=reservation.limits, network=reservation.network, region="r"
        )
        placement.start(hosts)
        placement.start(hosts)
        assert list(machine.runtime.networks) == [reservation.network]
        assert machine.runtime.outward == (set() if isolated else {reservation.network})
        wait_until(lambda: ended(placement, 1) and ended(placement, 2))
        placement.release(KEY)
        assert machine.runtime.networks == {}

    def test_starting_twice_starts_once_and_never_after_the_outcome(self, machine: Machine) -> None:
        placement = machine.placement()
        start(placement, "hang")
        start(placement, "hang")
        wait_until(lambda: machine.lives())
        start(machine.placement(), "hang")
        placement.stop(KEY)
        wait_until(lambda: ended(placement))
        start(placement, "hang")
        start(machine.placement(), "hang")
        assert len(machine.lives()) == 1
        assert placement.lost(KEY) == []

    def test_an_agent_that_dies_without_a_word_is_lost_and_started_again_by_the_next_start(
        self, machine: Machine
    ) -> None:
        placement = machine.placement()
        start(placement, "die-once")
        wait_until(lambda: list(placement.lost(KEY)) == [1])
        start(placement, "die-once")
        wait_until(lambda: ended(placement))
        assert placement.lost(KEY) == []
        assert len(machine.lives()) == 2
        assert [event.seq for event in placement.events(KEY, {})] == [1, 2]

    def test_agents_outlive_the_service_and_are_found_again(self, machine: Machine) -> None:
        start(machine.placement(), "hang")
        wait_until(lambda: machine.lives())
        later = machine.placement()
        assert later.find() == [KEY]
        assert later.lost(KEY) == []
        later.stop(KEY)
        wait_until(lambda: ended(later))
        assert machine.lives()[0]["session"] != os.getsid(0)

    def test_a_change_is_hinted_when_an_agent_ends(self, machine: Machine) -> None:
        hints: list[str] = []
        placement = machine.placement()
        placement.on_change(lambda: hints.append("hint"))
        start(placement, "complete")
        wait_until(lambda: hints)
        assert ended(placement)

    def test_stopping_is_idempotent_also_before_a_start(self, machine: Machine) -> None:
        placement = machine.placement()
        placement.stop(KEY)
        start(placement, "hang")
        placement.stop(KEY)
        placement.stop(KEY)
        wait_until(lambda: ended(placement))
        placement.stop(KEY)

    @pytest.mark.parametrize("how", ["complete", "deaf", "die"])
    def test_release_leaves_nothing_behind_but_what_belongs_to_others(self, machine: Machine, how: str) -> None:
        placement = machine.placement()
        start(placement, how, instances=2)
        wait_until(lambda: machine.lives(1) and machine.lives(2))
        machine.runtime.add("mine", instance_labels("h", KEY, 1))
        machine.runtime.add("other-job", instance_labels("h", "training/other", 1))
        machine.runtime.add("other-home", instance_labels("x", KEY, 1))
        assert placement.find() == [KEY, "training/other"]
        pids = [int((machine.files(number).directory / "agent.pid").read_text()) for number in (1, 2)]
        placement.release(KEY)
        placement.release(KEY)
        assert set(machine.runtime.containers) == {"other-job", "other-home"}
        assert machine.runtime.networks == {}
        assert placement.find() == ["training/other"]
        for pid in pids:
            wait_until(partial(_is_gone, pid))
        wait_until(lambda: list((machine.jobs / ".trash").iterdir()) == [])
        placement.release("training/other")

    def test_an_agent_that_told_its_outcome_is_ending_until_it_is_gone(self, machine: Machine) -> None:
        placement = machine.placement()
        start(placement, "linger")
        wait_until(lambda: ended(placement))
        assert placement.is_ending(KEY)
        machine.files().stop.touch()
        wait_until(lambda: not placement.is_ending(KEY))
        placement.release(KEY)
        assert not placement.is_ending(KEY)

    def test_an_agent_that_runs_is_not_ending(self, machine: Machine) -> None:
        placement = machine.placement()
        assert not placement.is_ending(KEY)
        start(placement, "hang")
        wait_until(lambda: machine.lives())
        assert not placement.is_ending(KEY)

    def test_a_deaf_agent_of_an_earlier_service_is_ended_too(self, machine: Machine) -> None:
        start(machine.placement(), "deaf")
        wait_until(lambda: machine.lives())
        machine.placement().release(KEY)
        assert machine.placement().find() == []

    def test_what_could_not_be_released_is_still_found(self, machine: Machine) -> None:
        placement = machine.placement()
        reserve(placement)
        machine.runtime.broken = True
        with pytest.raises(RuntimeFailure):
            placement.release(KEY)
        machine.runtime.broken = False
        assert placement.find() == [KEY]
        placement.release(KEY)
        assert placement.find() == []

    def test_secrets_are_handed_over_and_never_written(self, machine: Machine) -> None:
        keys = {"AWS_SECRET_ACCESS_KEY": "theirs", "SAGESTONE_HOME": "/home", "KEPT": "yes"}
        placement = machine.placement(environment={**os.environ, **keys})
        start(placement, "hang")
        wait_until(lambda: machine.lives())
        life = machine.lives()[0]
        parts, environment = life["parts"], life["environment"]
        assert isinstance(parts, dict)
        assert isinstance(environment, dict)
        assert parts["s3"]["secret_key"] == "a secret"
        assert environment["KEPT"] == "yes"
        assert not {"AWS_SECRET_ACCESS_KEY", "SAGESTONE_HOME"} & environment.keys()
        written = [path for path in machine.files().directory.rglob("*") if path.is_file() and path.name != "lives"]
        assert written
        assert not any(b"a secret" in path.read_bytes() for path in written)

    def test_the_assignment_carries_the_labels_of_its_instance(self, machine: Machine) -> None:
        placement = machine.placement()
        start(placement, "complete", instances=2)
        for number in (1, 2):
            assert machine.files(number).read_assignment().labels == instance_labels("h", KEY, number)


def _is_gone(pid: int) -> bool:
    """Whether there is no such process, not even a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
