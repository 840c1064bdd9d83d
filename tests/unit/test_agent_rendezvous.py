"""What the hosts of a job know of each other."""

import fcntl
from pathlib import Path

from sagestone.agent.files import InstanceFiles
from sagestone.agent.rendezvous import Rendezvous
from sagestone.domain.assignment import Host
from sagestone.domain.event import Outcome
from sagestone.domain.failure import Failure

FAILED = Outcome(ending="Failed", exit_code=1, failure=Failure(fault="algorithm", message="no"))


def _meeting(jobs: Path, number: int, count: int = 3) -> Rendezvous:
    files = InstanceFiles.of(jobs, "training/job", number)
    files.directory.mkdir(parents=True, exist_ok=True)
    return Rendezvous(files, Host(number=number, count=count))


def test_a_verdict_is_seen_by_all_and_kept(tmp_path: Path) -> None:
    second = _meeting(tmp_path, 2)
    assert (second.own, second.failed_peer()) == (None, None)
    second.leave(Outcome(ending="Completed", exit_code=0))
    assert second.own == _meeting(tmp_path, 1).verdict(2) == Outcome(ending="Completed", exit_code=0)
    assert _meeting(tmp_path, 2).own == second.own  # an agent that comes later
    assert second.peers == [1, 3]


def test_the_first_failed_peer_is_told(tmp_path: Path) -> None:
    _meeting(tmp_path, 3).leave(FAILED)
    assert _meeting(tmp_path, 1).failed_peer() == (3, FAILED)
    assert _meeting(tmp_path, 3).failed_peer() is None  # it is no peer of itself


def test_a_peer_is_lost_when_its_lock_stays_free(tmp_path: Path) -> None:
    first = _meeting(tmp_path, 1)
    assert first.lost_peer(60.0) is None
    third = InstanceFiles.of(tmp_path, "training/job", 3)
    third.directory.mkdir()
    _meeting(tmp_path, 2).leave(FAILED)
    with third.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert first.lost_peer(0.0) is None
    assert first.lost_peer(0.0) == 3
    assert _meeting(tmp_path, 1).lost_peer(60.0) is None


def test_all_have_restored_when_each_said_so_or_has_ended(tmp_path: Path) -> None:
    first, second, third = (_meeting(tmp_path, number) for number in (1, 2, 3))
    assert _meeting(tmp_path / "alone", 1, count=1).have_all_restored()
    first.note_restored()
    second.note_restored()
    assert [each.have_all_restored() for each in (first, second, third)] == [False, False, True]
    second.forget_restored()  # its agent begins anew
    assert not third.have_all_restored()
    second.note_restored()
    third.leave(FAILED)
    assert first.have_all_restored()
