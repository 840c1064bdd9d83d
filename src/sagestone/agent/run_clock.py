"""How long an instance has been at work: by a clock that nobody sets, going on where an earlier agent began.

The time of day may jump, and a job must not be over its MaxRuntimeInSeconds for that.
"""

import time
from pathlib import Path


def steady_seconds() -> float:
    """Seconds since this machine was started; those that it was suspended count."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def this_start() -> str:
    """A word for this start of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def began_at(file: Path, start: str) -> float:
    """When the work began, on that clock: as `file` has it, else now, which is noted there.

    `start` is `this_start`: with another one the clock began anew, and so does the count.
    """
    try:
        noted, _, seconds = file.read_text().partition(" ")
        if noted == start:
            return float(seconds)
    except (FileNotFoundError, ValueError):
        pass
    now = steady_seconds()
    fresh = file.with_suffix(".new")
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_text(f"{start} {now!r}")
    fresh.replace(file)
    return now
