"""CBOR bodies, as Smithy's protocol rpc-v2-cbor has them, in terms of what JSON would say.

Read: maps with text keys, lists, texts, byte strings, numbers, booleans, nulls and times (tag 1); nothing else is
understood, and nothing costs more than its bytes: what a body names twice (a shared value) is refused when it grows.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # imported for real where a body is read or written: few clients send any
    import cbor2

DEEPEST: Final = 64
_TIME_TAG: Final = 1


class BadCbor(Exception):
    """A body that cannot be read; the text says why."""


def read_cbor(body: bytes) -> Any:
    """What a body says: byte strings as base64, times as epoch seconds. Raises BadCbor."""
    import cbor2

    try:
        found = cbor2.loads(body, max_depth=DEEPEST, strict_hashable_types=True)
    except (cbor2.CBORError, ValueError, OverflowError, ArithmeticError, RecursionError, MemoryError) as problem:
        raise BadCbor(f"The body is not valid CBOR: {problem}") from None
    return _Plain(2 * len(body) + 1).of(found, DEEPEST)


def write_cbor(value: Any) -> bytes:
    """A shaped value: maps, lists, texts, bytes, numbers, and times that `cbor_time` made."""
    import cbor2

    return cbor2.dumps(value)


def cbor_time(value: Any) -> "cbor2.CBORTag":
    """A time (a datetime, or epoch seconds) as CBOR has it."""
    import cbor2

    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return cbor2.CBORTag(_TIME_TAG, round(float(value), 3))


class _Plain:
    """Turns what was decoded into what JSON could say; `room` is how much that may be, in values and letters."""

    def __init__(self, room: int) -> None:
        self._room = room

    def of(self, value: Any, depth: int) -> Any:
        self._room -= 1 + (len(value) if isinstance(value, str | bytes) else 0)
        if self._room < 0 or depth < 0:
            raise BadCbor("The body is not valid CBOR: values are shared in it")
        if isinstance(value, Mapping):
            return {self._key(name): self.of(item, depth - 1) for name, item in value.items()}
        if isinstance(value, list):
            return [self.of(item, depth - 1) for item in value]
        if value is None or isinstance(value, str | bool | int | float):
            return value
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if isinstance(value, datetime):
            return value.timestamp()
        raise BadCbor(f"The body has a value of a kind that is not understood: {type(value).__name__}")

    def _key(self, name: Any) -> str:
        if not isinstance(name, str):
            raise BadCbor("The body has a map with a key that is no text")
        self._room -= len(name)
        return name
