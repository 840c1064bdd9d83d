"""The leases of one controller: taken before the first side effect, renewed in time, given up at the end."""

from collections.abc import Callable

from sagestone.store.interface import Store


class Leases:
    """Remembers what is held, so that holding on costs a write only three times in a lease's life."""

    def __init__(self, store: Store, holder: str, monotonic: Callable[[], float], seconds: float) -> None:
        self.holder = holder
        self.seconds = seconds
        self._store, self._monotonic = store, monotonic
        self._taken_at: dict[str, float] = {}

    def hold(self, key: str) -> bool:
        """Whether this controller has the lease on `key`, for two thirds of its length at least."""
        now = self._monotonic()
        taken_at = self._taken_at.get(key)
        if taken_at is not None and now - taken_at < self.seconds / 3:
            return True
        if not self._store.take_lease(key, self.holder, self.seconds):
            self._taken_at.pop(key, None)
            return False
        self._taken_at[key] = now
        return True

    def lost(self, key: str) -> None:
        """Another holder has it by now."""
        self._taken_at.pop(key, None)

    def drop(self, key: str) -> None:
        """There is nothing more to do for `key`."""
        if self._taken_at.pop(key, None) is not None:
            self._store.release_lease(key, self.holder)

    def drop_all(self) -> None:
        """The controller ends; the next one need not wait."""
        for key in list(self._taken_at):
            self.drop(key)
