"""Keeps one engine for the tests: `python engine_keeper.py COMMAND …` runs it and outlives everything it starts.

Monitors and shims detach themselves; here they become children of this process, which reaps them at once (Podman waits
for that, and not every machine's first process is quick) and kills what is left when the engine ends. When the test
process dies, however it does, this ends too.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> None:
    """Run `command` in an own mount and network namespace until it ends or SIGTERM comes."""
    system = ctypes.CDLL(None)
    system.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    system.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    isolated = ["unshare", "--mount", "--propagation", "slave", "--net", "sh", "-ec"]
    # What engines keep in /run is theirs alone here, and a new network's loopback is down at first.
    engine = subprocess.Popen([*isolated, 'mount -t tmpfs tmpfs /run; ip link set lo up; exec "$@"', "sh", *command])
    Path("engine.pid").write_text(str(engine.pid))
    signal.signal(signal.SIGTERM, lambda *_: engine.send_signal(signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = 0
    while ended != engine.pid:
        ended, _ = os.wait()
    _kill_children()


def _kill_children() -> None:
    """The children of those that die become ours, so this goes on until there are none."""
    while True:
        for child in Path("/proc/thread-self/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
