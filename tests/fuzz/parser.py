"""A parser of the project as the fuzzer sees it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """`read` gets mutated `seeds`; only `refuses` may come out of it, which its documentation names.

    `words` are parts of the format. `weight`: how often it is called, beside the others.
    """

    name: str
    seeds: Sequence[bytes]
    read: Callable[[Random, bytes], object]
    refuses: tuple[type[Exception], ...]
    words: Sequence[bytes] = ()
    weight: float = 1.0
