"""Waits for the end of a container, through an engine that is started anew meanwhile."""

import threading
import time
from collections.abc import Callable

from sagestone.agent.verdict import taken_along
from sagestone.containers.runtime import Exit, Runtime, RuntimeFailure
from sagestone.domain.container_end import KILLED
from sagestone.domain.failure import JobFailure

_ENGINE_PATIENCE_SECONDS = 60.0  # an engine that is being restarted comes back
_PAUSE_SECONDS = 0.5


def wait_for_exit(runtime: Runtime, container: str, *, subject: str, named: str) -> Exit:
    """Its exit, also when the engine goes away for a while.

    Raises JobFailure (internal) when that is gone for good, and when the container was taken along, by whatever.
    `subject` is what sentences call the container, `named` how they begin with it.
    """
    deadline: float | None = None
    while True:
        try:
            found = runtime.wait(container)
            if found is not None:
                if found.taken_along or (deadline is not None and _is_killed(found)):
                    raise JobFailure("internal", taken_along(runtime.name, subject))
                return found
        except (RuntimeFailure, OSError) as error:
            deadline = deadline or time.monotonic() + _ENGINE_PATIENCE_SECONDS
            if time.monotonic() > deadline:
                raise JobFailure("internal", f"{named} cannot be waited for: {error}") from error
            time.sleep(_PAUSE_SECONDS)


def _is_killed(found: Exit) -> bool:
    """Enough for us, who saw the engine away; others can only go by what is known of it, which may be little."""
    return found.code == KILLED and not found.out_of_memory


class Waiter:
    """Waits on a thread of its own, so that the end is known at once while other things are looked after."""

    def __init__(self, wait: Callable[[], Exit]) -> None:
        self.ended = threading.Event()
        self._exit: Exit | None = None
        self._failure: Exception | None = None
        self._wait_for_it = wait
        threading.Thread(target=self._wait, name="container-wait", daemon=True).start()

    def result(self) -> Exit:
        """After `ended`: the exit, or the failure raised."""
        if self._exit is None:
            raise self._failure or JobFailure("internal", "the container's end was not told")
        return self._exit

    def _wait(self) -> None:
        try:
            self._exit = self._wait_for_it()
        except Exception as error:  # noqa: BLE001 handed to the thread that asks for the result
            self._failure = error
        self.ended.set()
