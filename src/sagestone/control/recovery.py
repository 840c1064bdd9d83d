"""What a service puts away when it starts: the leavings of an earlier life that no row needs any more."""

from sagestone.placement.interface import Placement
from sagestone.store.interface import Store


def unneeded(store: Store, placement: Placement) -> list[str]:
    """Keys of jobs that have something on the machines and that no unfinished row needs.

    They ended and were not put away yet, or they were never stored.
    """
    needed = set(store.unfinished_jobs())
    return [key for key in placement.find() if key not in needed]
