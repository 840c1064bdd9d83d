"""Waits for the end of a container, through an engine that is started anew meanwhile."""

import time

from sagestone.agent.verdict import KILLED, taken_along
from sagestone.containers.runtime import Exit, Runtime, RuntimeFailure
from sagestone.domain.failure import JobFailure

_ENGINE_PATIENCE_SECONDS = 60.0  # an engine that is being restarted comes back
_PAUSE_SECONDS = 0.5


def wait_for_exit(runtime: Runtime, container: str, *, subject: str, named: str) -> Exit:
    """Its exit, also when the engine goes away for a while.

    Raises JobFailure (internal) when that is gone for good, and when it came back and has killed the container.
    `subject` is what sentences call the container, `named` how they begin with it.
    """
    deadline: float | None = None
    while True:
        try:
            found = runtime.wait(container)
            if found is not None:
                if deadline is not None and _was_taken_along(runtime, container, found):
                    raise JobFailure("internal", taken_along(runtime.name, subject))
                return found
        except (RuntimeFailure, OSError) as error:
            deadline = deadline or time.monotonic() + _ENGINE_PATIENCE_SECONDS
            if time.monotonic() > deadline:
                raise JobFailure("internal", f"{named} cannot be waited for: {error}") from error
            time.sleep(_PAUSE_SECONDS)


def _was_taken_along(runtime: Runtime, container: str, found: Exit) -> bool:
    """Whether the engine, when it came back, ended it: by SIGTERM first, so its code may be the program's own."""
    return (found.code == KILLED and not found.out_of_memory) or runtime.stopped_by_engine(container)
