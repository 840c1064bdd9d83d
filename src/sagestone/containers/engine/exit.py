"""How an engine's container ended: the exit code, and whether memory ran out.

Docker tells when the kernel killed something in the container for memory. Podman's flag cannot be relied on, so there
exit code 137 of a container with a memory limit, that nobody killed through the engine, is memory. Both are kept by the
engine, so every process that asks gets the same answer.
"""

import time
from typing import Any

from sagestone.containers.engine.http import EngineHttp, EngineRefused, EngineTimeout
from sagestone.containers.runtime import Exit, RuntimeFailure, RuntimeName

_KILLED = 137
_NOT_STARTED = ("created", "initialized", "configured")
_GLANCE = 0.02  # seconds between looks where an engine has no call that waits


def wait_for_exit(http: EngineHttp, container: str, engine: RuntimeName, timeout: float | None) -> Exit | None:
    """The end of the container; None when `timeout` seconds passed first. Waits for a start that has not come."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        document = inspect(http, container)
        if has_ended(document):
            return _exit(http, document, engine)
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return None
        if document["State"]["Status"] == "running":
            try:
                http.post(f"/containers/{container}/wait", timeout=left, condition="not-running", interval="50ms")
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
    return document["State"]["Status"] in ("exited", "dead", "stopped", "removing")


def never_started(document: dict[str, Any]) -> bool:
    return document["State"]["Status"] in _NOT_STARTED


def _exit(http: EngineHttp, document: dict[str, Any], engine: RuntimeName) -> Exit:
    state = document["State"]
    code = int(state["ExitCode"])
    flagged = bool(state.get("OOMKilled")) and code != 0
    limited = bool(document["HostConfig"].get("Memory"))
    if engine == "podman" and not flagged and code == _KILLED and limited:
        flagged = not was_stopped(http, document)
    return Exit(code=code, out_of_memory=flagged)


def was_stopped(http: EngineHttp, document: dict[str, Any]) -> bool:
    """Whether the engine's own record shows a kill or stop of this container."""
    filters = {"container": [document["Id"]], "event": ["kill", "stop"]}
    with http.stream("GET", "/events", timeout=30, since=0, until=int(time.time()) + 1, filters=filters) as pieces:
        return any(piece.strip() for piece in pieces)
