"""When to try again after an unexpected error."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Waits double from `first_seconds` up to `longest_seconds`; after `tries` a job is given up."""

    first_seconds: float = 0.1
    longest_seconds: float = 5.0
    tries: int = 8


class Backoff:
    """Counts failures in a row by key. Times are the caller's, in seconds."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    def failed(self, key: str, now: float) -> int:
        """One more failure; how many in a row it is."""
        count = self._failures[key] = self._failures.get(key, 0) + 1
        wait = self._patience.first_seconds * 2.0 ** min(count - 1, 30)
        self._not_before[key] = now + min(self._patience.longest_seconds, wait)
        return count

    def put_off(self, key: str, now: float) -> bool:
        """It cannot be done for a reason that is not its own, which does not count; whether that is new."""
        new = key not in self._not_before
        self._not_before[key] = now + min(self._patience.longest_seconds, 10 * self._patience.first_seconds)
        return new

    def is_exhausted(self, key: str) -> bool:
        """Whether it failed as often as patience goes, or a multiple of that."""
        count = self._failures.get(key, 0)
        return count > 0 and count % self._patience.tries == 0

    def failing(self) -> int:
        """How many keys have failed and not gone well since."""
        return len(self._failures)

    def forget(self, key: str) -> None:
        """It went well."""
        self._failures.pop(key, None)
        self._not_before.pop(key, None)

    def is_due(self, key: str, now: float) -> bool:
        """Whether it may be tried now."""
        return now >= self._not_before.get(key, now)

    def due(self, now: float) -> list[str]:
        """Keys that failed and may be tried again."""
        return [key for key, moment in self._not_before.items() if now >= moment]

    def next_at(self) -> float | None:
        """When the next key is due."""
        return min(self._not_before.values(), default=None)
