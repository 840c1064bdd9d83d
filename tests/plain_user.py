"""Runs a program as a user without any right, on a machine where the tests run as root.

`python -m tests.plain_user [--no-namespaces] PROGRAM ARGUMENT…`: becomes that user and then the program. Where the
checkout or Python lie below a directory that only root may enter (such as /root), they are shown again, in a mount
namespace of its own.
"""

import os
import stat
import sys
from pathlib import Path

from sagestone.containers.sandbox.system import BIND, NEW_NS, NEW_USER, PRIVATE, RECURSIVE, mount, unshare

#: No account of the machine: a number that owns nothing.
PLAIN_USER = 54321

_NEEDED = (Path(__file__).parents[1], Path(sys.prefix), Path(sys.base_prefix))


def main() -> None:
    """Become the plain user, then the program."""
    program = sys.argv[1:]
    _open_the_way()
    if program[0] == "--no-namespaces":
        program = program[1:]
        _forbid_namespaces()
    os.setgroups([])
    os.setresgid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
    os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
    os.execvp(program[0], program)


def _open_the_way() -> None:
    """Put an open directory over each closed one, with nothing in it but what is needed."""
    unshare(NEW_NS)
    mount("", "/", flags=RECURSIVE | PRIVATE)
    needed = [(path.resolve(), os.open(path.resolve(), os.O_PATH)) for path in _NEEDED]
    closed = {above for path, _ in needed for above in path.parents if not above.stat().st_mode & stat.S_IXOTH}
    for each in closed:
        if not closed & set(each.parents):
            mount("tmpfs", str(each), "tmpfs", data="mode=755")
    for path, descriptor in needed:
        if closed & set(path.parents):
            path.mkdir(parents=True, exist_ok=True)
            mount(f"/proc/self/fd/{descriptor}", str(path), flags=BIND | RECURSIVE)
        os.close(descriptor)


def _forbid_namespaces() -> None:
    """Go into a user namespace in which no further one can be made, as on a machine whose administrator says so."""
    ours, (ready, tell) = os.getpid(), os.pipe()
    helper = os.fork()
    if not helper:
        os.read(ready, 1)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{ours}/{name}").write_text("0 0 65536")
        os._exit(0)
    unshare(NEW_USER)
    os.write(tell, b"!")
    os.waitpid(helper, 0)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


if __name__ == "__main__":
    main()
