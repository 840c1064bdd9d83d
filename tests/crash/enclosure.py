"""A machine of its own for the harness: own processes, mounts, network, /tmp, so that what is left is its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sagestone.containers.sandbox.netlink import Links

ROOT = Path(__file__).parents[2]


def why_impossible() -> str | None:
    """Why this machine cannot be divided so; None when it can."""
    if os.geteuid() != 0:
        return "it needs root, to have processes, mounts and a network of its own"
    if shutil.which("unshare") is None:
        return "it needs unshare: apt-get install util-linux"
    probe = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True, check=False)
    return None if probe.returncode == 0 else f"namespaces are refused here: {probe.stderr.strip()}"


def enclosed(module: str, arguments: Sequence[str]) -> list[str]:
    """The command that runs `python -m module arguments` in there, from the checkout as working directory."""
    return [*_UNSHARE, sys.executable, "-m", "tests.crash.enclosure", module, *arguments]


#: When the first process in there ends, the kernel ends all others.
_UNSHARE = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc"]


def _main(module: str, arguments: Sequence[str]) -> int:
    """Be the first process: make the place ready, run the module, and reap whatever loses its parent meanwhile."""
    for place in ("/tmp", "/run", "/dev/shm", "/var/tmp"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", place], check=True)
    links = Links()
    links.up("lo")
    links.close()
    child = subprocess.Popen([sys.executable, "-m", module, *arguments])
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], sys.argv[2:]))
