"""What placement promises of hosts that are kept warm: with real processes that stand for agents."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.agent.files import InstanceFiles
from sagestone.placement.interface import Placement
from tests.contract.test_placement import KEY, Machine, assignments, ended, reserve, start, wait_until

NEXT = "training/next"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    placement = made.placement()
    for key in placement.find():
        placement.release(key)


def lives(machine: Machine) -> list[dict[str, object]]:
    return [life for number in (1, 2) for life in machine.lives(number, NEXT)]


def kept(machine: Machine, cpus: float = 4.0) -> Placement:
    """A placement that keeps the two hosts of a job that has ended."""
    placement = machine.placement(cpus=cpus)
    start(placement, "complete", instances=2)
    wait_until(lambda: ended(placement, 1) and ended(placement, 2))
    cache = machine.files(2).cache
    cache.mkdir(parents=True)
    (cache / "vocabulary").write_text("words")
    placement.keep(KEY)
    return placement


def test_kept_hosts_go_to_the_job_that_takes_them_over(machine: Machine) -> None:
    placement = kept(machine)
    assert placement.find() == [KEY]
    assert machine.runtime.networks == {}
    assert not machine.files(1).events.exists()
    assert reserve(placement, "training/other", 2) is None
    reservation = placement.reserve(NEXT, ["ml.m5.large"] * 2, 0, KEY)
    assert reservation is not None
    assert (reservation.job, len(reservation.limits)) == (NEXT, 2)
    assert placement.find() == [NEXT]
    placement.start(assignments(reservation, "complete", "next"))
    wait_until(lambda: len(lives(machine)) == 2)
    cache = InstanceFiles.of(machine.jobs, NEXT, 2).cache
    assert (cache / "vocabulary").read_text() == "words"


def test_a_pool_is_taken_over_after_a_restart(machine: Machine) -> None:
    kept(machine)
    later = machine.placement()
    reservation = later.reserve(NEXT, ["ml.m5.large"] * 2, 0, KEY)
    assert reservation is not None
    later.start(assignments(reservation, "complete", "next"))
    wait_until(lambda: len(lives(machine)) == 2)


def test_a_taking_over_that_a_crash_cut_off_is_finished(machine: Machine) -> None:
    placement = kept(machine)
    pool = machine.jobs / KEY / "reservation.json"
    (machine.jobs / NEXT).mkdir(parents=True)
    (machine.jobs / NEXT / "reservation.json").write_text(pool.read_text().replace(KEY, NEXT))  # the first step of it
    later = machine.placement()
    assert later.find() == [KEY, NEXT]
    reservation = later.reserve(NEXT, ["ml.m5.large"] * 2, 0, KEY)
    assert reservation == placement.reserve(NEXT, ["ml.m5.large"] * 2, 0, KEY)
    assert later.find() == [NEXT]
    assert (InstanceFiles.of(machine.jobs, NEXT, 2).cache / "vocabulary").read_text() == "words"


def test_a_released_pool_leaves_nothing(machine: Machine) -> None:
    placement = kept(machine)
    placement.keep(KEY)
    placement.release(KEY)
    assert placement.find() == []
    assert reserve(placement, "training/other", 2) is not None


def test_a_pool_that_is_no_more_is_no_shortcut(machine: Machine) -> None:
    placement = machine.placement()
    reservation = placement.reserve(NEXT, ["ml.m5.large"], 0, KEY)
    assert reservation is not None
    assert reservation.job == NEXT
