"""A program: runs a container in a sandbox whose directory lies on an overlay, as inside an engine's container.

Arguments: a directory to work in, an image archive. Prints how the container ended, its output and what it left.
"""

import sys
from pathlib import Path

from sagestone.containers.runtime import ContainerSpec
from sagestone.containers.sandbox.runtime import SandboxRuntime
from sagestone.containers.sandbox.system import NEW_NS, PRIVATE, RECURSIVE, mount, unshare


def main(base: Path, archive: Path) -> None:
    """Mount the overlay where nobody else sees it, then run."""
    unshare(NEW_NS)
    mount("", "/", flags=RECURSIVE | PRIVATE)
    lower, upper, work, merged = (base / name for name in ("lower", "upper", "work", "merged"))
    for directory in (lower, upper, work, merged):
        directory.mkdir()
    mount("overlay", str(merged), "overlay", data=f"lowerdir={lower},upperdir={upper},workdir={work}")
    runtime = SandboxRuntime(merged / "sandbox")
    (image,) = runtime.load_archive(archive)
    command = ["sh", "-c", "echo new > /etc/new && cat /etc/new"]
    container = runtime.create(ContainerSpec(name="one", image=image.id, hostname="algo-1", command=command))
    runtime.start(container)
    print(runtime.wait(container, 60))  # noqa: T201
    runtime.copy_logs(container, lambda stream, data: print(stream, data))  # noqa: T201
    runtime.remove(container)
    print(list((merged / "sandbox/containers").iterdir()))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
