"""Asks a container's shim for a socket in the container's network."""

import os
import socket
import time

from sagestone.containers.sandbox.record import Record
from sagestone.containers.sandbox.shim import CONTROL

_ANSWER_SECONDS = 30.0


def connect(record: Record, port: int, timeout: float) -> socket.socket:
    """A connected socket to that port inside; raises ConnectionRefusedError or TimeoutError."""
    deadline = time.monotonic() + timeout
    try:
        descriptors = _ask(record)
    except ConnectionError as error:
        raise ConnectionRefusedError(f"container {record.name} does not run") from error
    inside = socket.socket(fileno=descriptors[0])
    try:
        inside.settimeout(max(deadline - time.monotonic(), 0.001))
        inside.connect(("127.0.0.1", port))
        inside.settimeout(None)
    except BaseException:
        inside.close()
        raise
    return inside


def listen(record: Record, port: int) -> socket.socket:
    """A socket that listens on that port of the container's loopback; raises ConnectionError or OSError."""
    inside = socket.socket(fileno=_ask(record)[0])
    try:
        inside.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        inside.bind(("127.0.0.1", port))
        inside.listen(64)
    except BaseException:
        inside.close()
        raise
    return inside


def _ask(record: Record) -> list[int]:
    """Descriptors that came with the answer; raises ConnectionError when nobody answers any more."""
    try:
        directory = os.open(record.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise ConnectionRefusedError(f"container {record.name} was removed") from error
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            # a socket's path may have 107 bytes at most, our directory's may be longer
            connection.connect(f"/proc/self/fd/{directory}/{CONTROL}")
            connection.send(b"socket")
            answer, descriptors, _, _ = socket.recv_fds(connection, 64, 1)
    except FileNotFoundError as error:
        raise ConnectionRefusedError(f"container {record.name} does not run") from error
    finally:
        os.close(directory)
    if answer != b"ok":
        raise ConnectionResetError(f"container {record.name} has just ended")
    return descriptors
