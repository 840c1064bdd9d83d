"""The jobs that wait for room and nothing else: to look at all of a thousand whenever one ends would be dear."""

from sagestone.control.progress import Progress
from sagestone.store.interface import Store


class WaitingRoom:
    """Used by one thread. Room is given first come, first served: where the first gets none, no other need ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: set[str] = set()
        self._passing_over = False
        self._asked_to_end: frozenset[str] = frozenset()

    def begin(self) -> None:
        """A pass over jobs, oldest first, begins."""
        self._passing_over = False

    def passes_over(self, key: str) -> bool:
        """Whether that job still waits for certain, since one before it does."""
        return self._passing_over and key in self._waiting and key not in self._asked_to_end

    def note(self, key: str, progress: Progress) -> None:
        """What a look at that job came to."""
        if progress != "queued":
            self._waiting.discard(key)
            return
        self._waiting.add(key)
        if not self._passing_over and not self._store.warm_pools():  # a pool's hosts are given past the queue
            self._passing_over = True
            self._asked_to_end = frozenset(self._store.asked_to_end())
