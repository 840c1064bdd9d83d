"""How an engine's container ended: the exit code, whether memory ran out, and whether it was taken along.

Docker tells when the kernel killed something in the container for memory. Podman's flag cannot be relied on, so there
exit code 137 of a container with a memory limit, that nobody killed through the engine, is memory. Both are kept by the
engine, so every process that asks gets the same answer.

Docker ends containers when it stops, or comes back; how that is told from an end of their own: `domain.container_end`.
Podman has no daemon that containers would depend on, but after a start of the machine it takes what it has not cleaned
up for made and not started, with exit code 0 if it ran.
"""

import os
import time
from typing import Any

from sagestone.containers.engine.http import EngineHttp, EngineRefused, EngineTimeout
from sagestone.containers.engine.life import engine_life, moment, shares_processes
from sagestone.containers.runtime import Exit, RuntimeFailure, RuntimeName
from sagestone.domain.container_end import KILLED, LOST, EngineLife, was_taken_along

_ALL_THE_TIME = EngineLife(began=None, ready=None, machine=None, spares=True)
NOT_STARTED = ("created", "initialized", "configured")
_LOOK_AGAIN_SECONDS = 5.0  # Podman goes on to call what it does not watch any more running: conmon may be killed too
_MISSED = 2  # looks that find no process before that is believed: it may just have ended
_GLANCE = 0.02  # seconds between looks where an engine has no call that waits


def wait_for_exit(http: EngineHttp, container: str, engine: RuntimeName, timeout: float | None) -> Exit | None:
    """The end of the container; None when `timeout` seconds passed first. Waits for a start that has not come."""
    deadline = None if timeout is None else time.monotonic() + timeout
    may_be_missed, missed = engine == "podman" and shares_processes(http, "podman"), 0
    while True:
        document = inspect(http, container)
        if has_ended(document):
            return _exit(http, document, engine)
        missed = missed + 1 if may_be_missed and _is_gone(int(document["State"]["Pid"])) else 0
        if missed > _MISSED:
            return Exit(code=KILLED, taken_along=True)
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return None
        if document["State"]["Status"] == "running":
            try:
                patience = left
                if engine == "podman":
                    patience = _LOOK_AGAIN_SECONDS if left is None else min(_LOOK_AGAIN_SECONDS, left)
                http.post(f"/containers/{container}/wait", timeout=patience, condition="not-running", interval="50ms")
            except EngineTimeout:
                continue
            except EngineRefused as refusal:
                if refusal.status == 404:
                    raise RuntimeFailure(f"container {container} was removed while it was waited for") from refusal
                raise
        else:
            time.sleep(_GLANCE if left is None else min(_GLANCE, left))


def inspect(http: EngineHttp, container: str) -> dict[str, Any]:
    """All that the engine knows of the container; raises RuntimeFailure when there is none."""
    try:
        document: dict[str, Any] = http.get(f"/containers/{container}/json")
    except EngineRefused as refusal:
        if refusal.status == 404:
            raise RuntimeFailure(f"no container {container} here") from refusal
        raise
    return document


def has_ended(document: dict[str, Any]) -> bool:
    """Whether the container ran and is over (`removing` and `dead` count: nothing will run again)."""
    return document["State"]["Status"] in ("exited", "dead", "stopped", "removing") or _was_forgotten(document)


def never_started(document: dict[str, Any]) -> bool:
    return document["State"]["Status"] in NOT_STARTED and not _was_forgotten(document)


def _was_forgotten(document: dict[str, Any]) -> bool:
    """Whether its engine takes it for one that was never started, since the machine was, and it is wrong."""
    return document["State"]["Status"] in NOT_STARTED and moment(document["State"].get("StartedAt")) is not None


def _is_gone(pid: int) -> bool:
    """Whether there is no such process any more; what has not begun has no number."""
    try:
        if pid > 0:
            os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it is another user's
        pass
    return False


def _exit(http: EngineHttp, document: dict[str, Any], engine: RuntimeName) -> Exit:
    state = document["State"]
    code = KILLED if moment(state.get("FinishedAt")) is None else int(state["ExitCode"])
    flagged = bool(state.get("OOMKilled")) and code != 0
    limited = bool(document["HostConfig"].get("Memory"))
    if engine == "podman" and not flagged and int(state["ExitCode"]) == KILLED and limited:
        flagged = not _was_stopped(http, document)
    taken_along = not flagged and _was_taken_along(http, state, code, engine)
    return Exit(code=code, out_of_memory=flagged, taken_along=taken_along)


def _was_taken_along(http: EngineHttp, state: dict[str, Any], code: int, engine: RuntimeName) -> bool:
    life = engine_life(http) if engine == "docker" and code in (KILLED, LOST) else _ALL_THE_TIME
    started_at, finished_at = moment(state.get("StartedAt")) or 0.0, moment(state.get("FinishedAt"))
    return was_taken_along(code=code, started_at=started_at, finished_at=finished_at, engine=life)


def _was_stopped(http: EngineHttp, document: dict[str, Any]) -> bool:
    """Whether the engine's own record shows a kill or stop of this container."""
    filters = {"container": [document["Id"]], "event": ["kill", "stop"]}
    with http.stream("GET", "/events", timeout=30, since=0, until=int(time.time()) + 1, filters=filters) as pieces:
        return any(piece.strip() for piece in pieces)
