"""Forks an agent for each instance, with all imported that it needs: 5 ms, where a start from nothing takes 300.

It is spoken to over a socket pair of whole messages. A request is the instance's directory, NUL, the Parts as JSON; the
answer is the process id of the agent with a descriptor of the process (pidfd) beside it, or `-` and why there is none.
It ends when nobody holds the other end any more; the agents go on.
"""

import ctypes
import gc
import io
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from sagestone.agent.files import InstanceFiles
from sagestone.archive.room import when_there_is_room

#: The agent's argument where it is to be the nursery, before the number of the descriptor of its socket.
NURSERY: Final = "--nursery"
LONGEST_REQUEST: Final = 128 * 1024
#: A last argument that means nothing: each agent writes over its arguments what it does, for `ps`.
ROOM: Final = " " * 4096

Run = Callable[[Path, BinaryIO], int]


def tend(descriptor: int, run: Run) -> None:
    """Fork agents until the other end closes: each runs its directory and Parts and exits with what `run` says."""
    signal.signal(signal.SIGCHLD, _reap)
    gc.collect()
    gc.freeze()  # else each agent's collector would copy the pages that they share
    with socket.socket(fileno=descriptor) as other:
        while request := other.recv(LONGEST_REQUEST):
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # nobody is reaped before it is answered for
            _answer(other, request, run)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _answer(other: socket.socket, request: bytes, run: Run) -> None:
    directory, _, parts = request.partition(b"\0")
    try:
        child = os.fork()
    except OSError as error:
        other.send(f"-{error.strerror}".encode())
        return
    if child == 0:
        other.close()
        _be_agent(directory, parts, run)
    process = os.pidfd_open(child)
    try:
        socket.send_fds(other, [str(child).encode()], [process])
    finally:
        os.close(process)


def _be_agent(directory: bytes, parts: bytes, run: Run) -> None:
    """In the child: never returns."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        os.setsid()
        files = InstanceFiles(Path(os.fsdecode(directory)))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        log = when_there_is_room(lambda: os.open(files.log, flags, 0o644))
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        _show([os.fsencode(sys.executable), b"-m", b"sagestone.agent", directory])
        code = run(files.directory, io.BytesIO(parts + b"\n"))
    except BaseException:  # noqa: BLE001 the last stand: said in agent.log, and the placement starts another
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _reap(*_: object) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _show(command: list[bytes]) -> None:
    """Let `ps` show that as the command of this process, where the kernel says where its own stands."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    shown = b"\0".join(command) + b"\0"
    if start > 0 and len(shown) <= end - start:
        ctypes.memmove(start, shown.ljust(end - start, b"\0"), end - start)
