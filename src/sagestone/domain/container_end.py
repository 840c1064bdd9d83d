"""Whether a container's program ended by itself, or was taken along by an engine or a machine that went down.

Containers are made so that Docker ends them by SIGKILL alone, when it stops and when it comes back: whatever code a
container has beside KILLED and LOST is then its program's own, whoever saw it end, and whenever it is asked for.
"""

from dataclasses import dataclass

KILLED = 137  # the code of what SIGKILL ended
LOST = 255  # Docker's own code for a container that it does not find any more as it is started
_TAKING_UP_SECONDS = 60.0  # what an engine may need for its containers, where its own beginning cannot be told


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLife:
    """Since when an engine and its machine are there, in epoch seconds of its clock; None: that cannot be told."""

    began: float | None  # its process was started
    ready: float | None  # it had dealt with the containers of its earlier lives
    machine: float | None  # its machine was started
    spares: bool  # containers go on while it is away (live-restore)


def was_taken_along(*, code: int, started_at: float, finished_at: float | None, engine: EngineLife) -> bool:
    """Whether an engine that was started anew ended the container, or found it no more; moments as in `EngineLife`.

    1. `finished_at` None: nobody saw it end, so it went down with the machine; so it did when the machine was started
       after it, and its end written down only then.
    2. An engine that was there before the container, and still is, has taken nothing along.
    3. LOST counts when it was written down by the present engine, at its start; before that it is the program's own.
    4. KILLED by an engine that has since been started anew, and that spares nothing, is taken for the engine's doing: a
       program that was killed by another just before cannot be told from it.
    """
    if finished_at is None or started_at < (engine.machine or 0.0) <= finished_at:
        return True
    if max(engine.began or 0.0, engine.ready or 0.0) <= started_at:
        return False
    if code == LOST:
        return _is_when_it_started(finished_at, engine)
    return code == KILLED and not engine.spares


def _is_when_it_started(at: float, engine: EngineLife) -> bool:
    """Whether the engine was dealing with the containers of its earlier lives then, as far as that is known."""
    began, ready = engine.began, engine.ready
    if began is None:
        return ready is not None and ready - _TAKING_UP_SECONDS <= at <= ready
    if ready is None or ready < began:  # it made no bridge, or kept it for containers that went on
        ready = began + _TAKING_UP_SECONDS
    return began <= at <= ready
