"""Ends a controller's life at a chosen call of the store or the placement, before or after the call did its work."""

from collections.abc import Callable
from typing import Any

#: Calls with an effect that outlives the process.
EFFECTS = frozenset(
    {
        *(
            "add_job",
            "change_algorithm",
            "change_job",
            "apply_events",
            "remove_algorithm",
            "remove_job",
            "add_resource",
            "change_resource",
            "remove_resource",
        ),
        *("take_lease", "release_lease", "void_leases"),
        *("reserve", "start", "stop", "release", "keep"),
    }
)


class Died(BaseException):
    """The process is gone: no handler of the controller may run."""


class Countdown:
    """Dies at the call with number `at`: before its effect, or right `after` it."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._left, self._after = at, after

    def around(self, act: Callable[[], Any]) -> Any:
        """Carry out one call of the counted ones."""
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Died
        result = act()
        if self._left == 0:
            raise Died
        return result


class Dying:
    """Passes everything on to `target`; effects go through the countdown."""

    def __init__(self, target: object, countdown: Countdown) -> None:
        self._target, self._countdown = target, countdown

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if name not in EFFECTS:
            return attribute
        return lambda *given, **named: self._countdown.around(lambda: attribute(*given, **named))
