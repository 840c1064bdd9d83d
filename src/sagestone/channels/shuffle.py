"""The order of a channel's objects or lines in an epoch, and which of them are a host's.

Without a seed every epoch has the order of the listing or of the manifest. With ShuffleConfig.Seed each epoch has a
permutation of its own: Fisher-Yates, from the last place down, the place to swap with taken from Python's Mersenne
Twister (`int(random() * (place + 1))`) seeded with the first 8 bytes of SHA-256 of `SEED/EPOCH`. The same seed, epoch
and number of objects give the same order on every host, in every run. The service does not say how it shuffles.
"""

import hashlib
import random
from array import array
from collections.abc import Sequence


def epoch_order(count: int, seed: int | None, epoch: int) -> Sequence[int]:
    """The places 0 … count-1 in the order of that epoch (from 0)."""
    if seed is None:
        return range(count)
    digest = hashlib.sha256(f"{seed}/{epoch}".encode()).digest()
    draw = random.Random(int.from_bytes(digest[:8], "big")).random
    order = array("Q", range(count))
    for place in range(count - 1, 0, -1):
        other = int(draw() * (place + 1))
        order[place], order[other] = order[other], order[place]
    return order
