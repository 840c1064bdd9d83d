"""What a sandbox uses where there are no control groups to ask: the sum over its processes."""

import os
from pathlib import Path

from sagestone.containers.runtime import Usage
from sagestone.containers.sandbox.record import Record
from sagestone.containers.sandbox.shim import CHILD

_PARENT, _USER, _SYSTEM, _WAITED_USER, _WAITED_SYSTEM, _RESIDENT = 1, 11, 12, 13, 14, 21


def tree_usage(record: Record, processes: Path = Path("/proc")) -> Usage | None:
    """Resident memory (shared pages count in each process) and processor time; None when it does not run."""
    try:
        first = int((record.directory / CHILD).read_text().split()[0])
    except FileNotFoundError:
        return None
    fields = {
        int(entry.name): found for entry in processes.iterdir() if entry.name.isdigit() and (found := _stat(entry))
    }
    if first not in fields:
        return None
    members = {first}
    grown = True
    while grown:
        below = {pid for pid, found in fields.items() if int(found[_PARENT]) in members} - members
        members |= below
        grown = bool(below)
    ticks = sum(int(fields[pid][index]) for pid in members for index in (_USER, _SYSTEM, _WAITED_USER, _WAITED_SYSTEM))
    resident = sum(int(fields[pid][_RESIDENT]) for pid in members)
    return Usage(memory_bytes=resident * os.sysconf("SC_PAGE_SIZE"), cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"))


def _stat(process: Path) -> list[str] | None:
    """The fields behind the program's name: state, parent …"""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
