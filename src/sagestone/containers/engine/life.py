"""Since when a Docker engine has been there.

Its daemon's process tells when it began, on this machine; the default bridge, which Docker makes anew at each start,
when it had dealt with the containers of its earlier lives. Its events tell neither: they go with it.
"""

import os
import socket
import struct
import time
from datetime import datetime
from pathlib import Path

from sagestone.containers.engine.http import EngineHttp, EngineRefused
from sagestone.domain.container_end import EngineLife


def engine_life(http: EngineHttp) -> EngineLife:
    """What can be told of the engine that answers; raises EngineUnreachable when it does not."""
    about = http.get("/info")
    now, machine = moment(about.get("SystemTime")), time.clock_gettime(time.CLOCK_BOOTTIME)
    began = _began(http)
    return EngineLife(
        began=None if began is None or now is None else now - machine + began,
        ready=_bridge_made(http),
        machine=None if now is None else now - machine,
        spares=bool(about.get("LiveRestoreEnabled")),
    )


def moment(text: str | None) -> float | None:
    """Epoch seconds of a moment as engines write it; None for the one that stands for never."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text).timestamp()


def _bridge_made(http: EngineHttp) -> float | None:
    try:
        return moment(http.get("/networks/bridge").get("Created"))
    except EngineRefused:  # an engine may have been told to do without
        return None


def daemon_here(http: EngineHttp, program: str) -> int | None:
    """The process that made the engine's socket; or, where systemd did, the one whose id Docker leaves beside it.

    None where that is not a process of that program which can be seen from here: the engine may be elsewhere.
    """
    address = http.socket_path
    if address is None:
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(address)
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except (OSError, AttributeError):  # no such option on other systems
            return None
    pid: int = struct.unpack("3i", peer)[0]
    if _runs(pid, program):
        return pid
    try:
        noted = int(Path(address).with_suffix(".pid").read_text())
    except (OSError, ValueError):
        return None
    return noted if _runs(noted, program) else None


def shares_processes(http: EngineHttp, program: str) -> bool:
    """Whether the engine's numbers of processes are those that count here; where that cannot be told, they are not."""
    pid = daemon_here(http, program)
    try:
        return pid is not None and os.path.samefile(f"/proc/{pid}/ns/pid", "/proc/self/ns/pid")  # noqa: PTH121
    except OSError:
        return False


def _began(http: EngineHttp) -> float | None:
    """When the daemon behind that socket was started, in seconds since the machine was; None: not seen from here."""
    from sagestone.containers.sandbox.shim import start_time  # only here: it loads what starts sandboxes

    pid = daemon_here(http, "dockerd")
    try:
        return None if pid is None else int(start_time(pid)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None


def _runs(pid: int, program: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == program
    except OSError:
        return False
