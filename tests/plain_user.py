"""Runs a program as a user without any right, on a machine where the tests run as root.

`python -m tests.plain_user PROGRAM ARGUMENT…`: becomes that user and then the program. Where the checkout or Python lie
below a directory that only root may enter (such as /root), they are shown again, in a mount namespace of its own.
"""

import os
import stat
import sys
from pathlib import Path

from sagestone.containers.sandbox_system import BIND, NEW_NS, PRIVATE, RECURSIVE, mount, unshare

#: No account of the machine: a number that owns nothing.
PLAIN_USER = 54321

_NEEDED = (Path(__file__).parents[1], Path(sys.prefix), Path(sys.base_prefix))


def main() -> None:
    """Become the plain user, then the program."""
    _open_the_way()
    os.setgroups([])
    os.setresgid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
    os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
    os.execvp(sys.argv[1], sys.argv[1:])


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


if __name__ == "__main__":
    main()
