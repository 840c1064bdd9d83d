"""What is known of a sandbox while others look at it."""

import os
import threading
from pathlib import Path

from sagestone.containers.sandbox.record import LOST, Record
from sagestone.containers.sandbox.shim import CHILD, SHIM, boot_id, start_time

ROUNDS = 1000


def test_a_container_that_is_just_starting_has_not_ended(tmp_path: Path) -> None:
    """A start may also be taken back, where the kernel makes no overlay, and made anew; its shim lives all the time."""
    record, shim, fresh = Record(directory=tmp_path), tmp_path / SHIM, tmp_path / "shim.new"
    alive = f"{os.getpid()} {start_time(os.getpid())} {boot_id()}"
    begin, done = threading.Barrier(2, timeout=60), threading.Barrier(2, timeout=60)

    def start_and_take_back() -> None:
        for _ in range(ROUNDS):
            fresh.write_text(alive)
            begin.wait()
            fresh.rename(shim)
            done.wait()
            begin.wait()
            shim.unlink()
            done.wait()

    starter = threading.Thread(target=start_and_take_back)
    starter.start()
    seen = set()
    for _ in range(2 * ROUNDS):
        begin.wait()
        seen |= {record.exit() for _ in range(3)}
        done.wait()
    starter.join()
    assert seen == {None}


def test_a_container_whose_shim_is_gone_is_lost(tmp_path: Path) -> None:
    (tmp_path / SHIM).write_text(f"{os.getpid()} 1 {boot_id()}")  # an earlier process of that number
    assert Record(directory=tmp_path).exit() == LOST


def test_to_wait_in_vain_leaves_nothing_open(tmp_path: Path) -> None:
    """An agent waits a minute at a time, for days."""
    for file in (SHIM, CHILD):
        (tmp_path / file).write_text(f"{os.getpid()} {start_time(os.getpid())} {boot_id()}")
    record = Record(directory=tmp_path)
    for _ in range(20):
        assert not record.wait_end(0.0)
    open_files = [Path("/proc/self/fd") / number for number in os.listdir("/proc/self/fd")]  # noqa: PTH208  numbers
    processes = [file for file in open_files if file.is_symlink() and "pidfd" in os.readlink(file)]  # noqa: PTH115
    assert len(processes) < 10
