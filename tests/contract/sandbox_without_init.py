"""A program: kills the shim of a container where the first process reaps nobody, as in many an engine's container.

Arguments: a directory to work in, an image archive. Prints how the container ended.
"""

import os
import signal
import sys
from pathlib import Path

from sagestone.containers.runtime import ContainerSpec
from sagestone.containers.sandbox.runtime import SandboxRuntime
from sagestone.containers.sandbox.system import NEW_NS, NEW_PID, PRIVATE, RECURSIVE, mount, unshare


def main(base: Path, archive: Path) -> None:
    """Become the first process of a process namespace, then run; what is left ends with us."""
    unshare(NEW_NS | NEW_PID)
    first = os.fork()
    if first:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))
    mount("", "/", flags=RECURSIVE | PRIVATE)
    mount("proc", "/proc", "proc")
    runtime = SandboxRuntime(base / "sandbox")
    (image,) = runtime.load_archive(archive)
    spec = ContainerSpec(name="one", image=image.id, hostname="algo-1", command=["sleep", "600"])
    container = runtime.create(spec)
    runtime.start(container)
    shim = int((base / "sandbox/containers/one/shim").read_text().split()[0])
    os.kill(shim, signal.SIGKILL)
    print(runtime.wait(container, 30))  # noqa: T201
    print(Path(f"/proc/{shim}/stat").read_text().split()[2])  # noqa: T201
    runtime.remove(container)
    print(runtime.find({}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
