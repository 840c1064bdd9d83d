"""Sockets made inside another process's network namespace.

A socket belongs to the namespace of the thread that made it, and can be used from everywhere afterwards. Root enters
with one thread. A plain user must first enter the user namespace that owns the network namespace, which only a process
with a single thread may do: a short-lived helper connects and passes the socket back. Linux only.
"""

import ctypes
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_NEW_USER = 0x10000000
_NEW_NET = 0x40000000
_GET_OWNER = 0xB701  # ioctl NS_GET_USERNS
_LOOPBACK = "127.0.0.1"


class NamespaceRefused(Exception):
    """This process may not enter that namespace; the text is the system's."""


def connect_inside(pid: int, port: int, timeout: float) -> socket.socket:
    """A connected, blocking socket to that port on the loopback of process `pid`'s network.

    Raises ConnectionRefusedError, TimeoutError, ProcessLookupError when the process is gone, or NamespaceRefused.
    """
    connected = (
        _by_thread(pid, lambda: _connect(port, timeout))
        if os.geteuid() == 0
        else _by_helper("connect", pid, port, timeout)
    )
    connected.settimeout(None)
    return connected


def listen_inside(pid: int, port: int) -> socket.socket:
    """A socket that listens on that port of the loopback of process `pid`'s network.

    Raises OSError where the port is taken, ProcessLookupError when the process is gone, or NamespaceRefused.
    """
    return _by_thread(pid, lambda: _listen(port)) if os.geteuid() == 0 else _by_helper("listen", pid, port, 10.0)


def _connect(port: int, timeout: float) -> socket.socket:
    return socket.create_connection((_LOOPBACK, port), timeout)


def _listen(port: int) -> socket.socket:
    return socket.create_server((_LOOPBACK, port), backlog=64)


def _by_thread(pid: int, make: Callable[[], socket.socket]) -> socket.socket:
    """A thread that enters the namespace, makes the socket and ends: nothing else of this process moves."""
    outcome: list[socket.socket | BaseException] = []

    def enter() -> None:
        try:
            with _namespace_file(pid) as namespace:
                _setns(namespace.fileno(), _NEW_NET)
            outcome.append(make())
        except BaseException as error:  # noqa: BLE001  handed to the caller's thread
            outcome.append(error)

    thread = threading.Thread(target=enter, name="inside")
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _by_helper(what: str, pid: int, port: int, timeout: float) -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        arguments = [str(theirs.fileno()), str(pid), str(port), str(timeout), what]
        helper = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, *arguments], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        theirs.close()
        try:
            ours.settimeout(timeout + 10)
            message, descriptors, _, _ = socket.recv_fds(ours, 4096, 1)
        finally:
            helper.kill()
            helper.wait()
    if descriptors:
        return socket.socket(fileno=descriptors[0])
    kind, _, text = message.decode().partition(" ")
    known = {error.__name__: error for error in (ConnectionRefusedError, TimeoutError, ProcessLookupError)}
    raise known.get(kind, NamespaceRefused)(text or "the helper ended without an answer")


def _serve(channel: socket.socket, pid: int, port: int, timeout: float, what: str) -> None:
    """The helper's whole life: enter, make the socket, hand it over."""
    import fcntl

    try:
        with _namespace_file(pid) as namespace:
            owner = fcntl.ioctl(namespace.fileno(), _GET_OWNER)
            _setns(owner, _NEW_USER)
            _setns(namespace.fileno(), _NEW_NET)
        with _listen(port) if what == "listen" else _connect(port, timeout) as made:
            made.settimeout(None)
            socket.send_fds(channel, [b"made"], [made.fileno()])
    except (OSError, NamespaceRefused) as error:
        channel.send(f"{type(error).__name__} {error}".encode()[:4000])


def _namespace_file(pid: int):  # type: ignore[no-untyped-def]  # a raw file object
    try:
        return Path(f"/proc/{pid}/ns/net").open("rb", buffering=0)
    except FileNotFoundError as error:
        raise ProcessLookupError(f"process {pid} is gone") from error
    except PermissionError as error:
        raise NamespaceRefused(str(error)) from error


def _setns(descriptor: int, kind: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, kind) != 0:
        number = ctypes.get_errno()
        raise NamespaceRefused(f"setns: {os.strerror(number)}")


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
