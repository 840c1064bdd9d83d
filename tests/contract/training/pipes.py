"""Channels in Pipe mode and their data, as the tests of agents need them."""

from collections.abc import Callable
from typing import Any

from sagestone.domain.channel import Channel
from tests.contract.training.training_instance import Ground

MEBIBYTE = 1024 * 1024


def pipe(name: str = "train", prefix: str = "in/", **fields: Any) -> Channel:
    """A channel of all objects under a prefix of the ground's bucket."""
    source = {"s3_data_type": "S3Prefix", "s3_uri": f"s3://bucket/{prefix}", "distribution": "FullyReplicated"}
    return Channel(name=name, **{**source, "input_mode": "Pipe", **fields})


#: File mode: what all objects of `numbered` are together, in truth/all.
TRUTH = pipe("truth", "truth/", input_mode="File")


def numbered(ground: Ground, count: int, content: Callable[[int], bytes]) -> bytes:
    """Put the objects in/000, in/001 …; all their bytes in order, which are in truth/all too."""
    whole = b"".join(content(number) for number in range(count))
    for number in range(count):
        ground.put(f"in/{number:03}", content(number))
    ground.put("truth/all", whole)
    return whole
