"""What a controller does where other services share its store: look after those that are gone, keep out of the way."""

from collections.abc import Callable, Sequence
from functools import partial

from sagestone.control.job import JobReconciler
from sagestone.control.leases import Leases
from sagestone.control.recovery import leavings
from sagestone.control.waiting_room import WaitingRoom
from sagestone.placement.interface import Placement
from sagestone.store.interface import Orphan, Store

#: Carries out what belongs to a key, and whether it was done; an error is kept to that key and tried again later.
Guard = Callable[[str, Callable[[], bool | None]], bool]


class Neighbourhood:
    """Used by one thread."""

    def __init__(
        self, store: Store, placement: Placement, jobs: JobReconciler, leases: Leases, waiting_room: WaitingRoom
    ) -> None:
        self._store, self._placement, self._jobs, self._leases = store, placement, jobs, leases
        self._waiting_room = waiting_room
        self._look = True
        self._found: set[str] = set()  # jobs that have something here, when it was looked at last

    def look(self) -> None:
        """Something may lie here of jobs that are over or another's by now."""
        self._look = True

    def unfinished_jobs(self, guard: Guard) -> Sequence[str]:
        """Those that are ours to carry on.

        Before that the jobs of services that are gone are ended, what lies here of others is put away (at once, or as
        soon as another takes up a job that had its room here before a crash), and those that others had room for leave
        the queue.
        """
        for orphan in self._store.orphans():
            guard(orphan.key, partial(self._abandon, orphan))
        if self._look:
            self._found = set(self._placement.find())
            self._look = False
        ours = self._store.unfinished_jobs()
        for key in leavings(self._store, sorted(self._found), ours):
            if guard(key, partial(self._jobs.put_away_here, key)):
                self._found.discard(key)
        for key in self._jobs.waiting_for_room().difference(ours):
            guard(key, partial(self.leave_queue, key))
        return ours

    def leave_queue(self, key: str) -> None:
        """A job that waited here for room, if it did, waits no more: another service had some."""
        if self._jobs.waits_for_room(key):
            self._jobs.put_away_here(key)
            self._waiting_room.note(key, "done")

    def _abandon(self, orphan: Orphan) -> bool:
        if not self._leases.hold(orphan.key):
            return False
        self._jobs.abandon(orphan, self._leases.holder)
        self._leases.drop(orphan.key)
        return True
