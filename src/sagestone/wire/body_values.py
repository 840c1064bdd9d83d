"""Whether a body says so many things that its values would take many times the memory of its bytes.

A byte of CBOR may be a whole object, which takes 64 bytes and more: 8 MB of them would take a gigabyte.
"""

import re
from typing import Final

#: Most values of a body, those within others and keys included: some ten times what the largest request can use.
MOST_VALUES: Final = 100_000

_PIECE = re.compile(rb'[^"]++|"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # of JSON: a text, or what is between two
_QUOTE: Final = ord('"')
_INDEFINITE: Final = 31
_SIZED: Final = (2, 3)  # major types whose argument is how many bytes follow: byte strings and texts


def too_many_in_json(body: bytes, most: int = MOST_VALUES) -> bool:
    """Whether JSON has more than so many values, keys not counted and empty lists and objects
    twice. Of what is no JSON it says anything."""
    if len(body) <= most or _steps(body) < most:
        return False
    values, texts = 1, 0
    for piece in _PIECE.finditer(body):
        if body[piece.start()] == _QUOTE:
            texts += 1
        else:
            values += _steps(piece[0])
        if values > most or texts > 2 * most:
            return True
    return False


def too_many_in_cbor(body: bytes, most: int = MOST_VALUES) -> bool:
    """Whether CBOR has more than so many values, keys and tags included. Of what is no CBOR it says anything."""
    if len(body) <= most:
        return False
    at = 0
    for _ in range(most):
        if at >= len(body):
            return False
        major, small = body[at] >> 5, body[at] & 31
        at += 1
        width = 0 if small < 24 or small == _INDEFINITE else 1 << (small - 24)
        size = int.from_bytes(body[at : at + width], "big") if width else small
        at += width + (size if major in _SIZED and small != _INDEFINITE else 0)
    return at < len(body)


def _steps(body: bytes) -> int:
    """How many values begin, but for the first: after a comma, or as the first of a list or object."""
    return sum(map(body.count, (b",", b"[", b"{")))
