"""Bytes that were valid, and are not any more."""

from collections.abc import Callable, Sequence
from random import Random

#: What parsers of any format stumble over.
_WORDS = (
    b"\x00", b"\xff", b"\n", b"\r\n", b"\r", b" ", b"\t", b'"', b"'", b"\\", b"/", b"../", b"%00", b"%2e%2e", b"%",
    b"{", b"}",
    b"[", b"]", b"<", b">", b"&",
    b";", b":", b",", b"=", b"-1", b"0", b"1e999", b"NaN", b"9" * 25, b"-" + b"9" * 25,
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", "\u2028".encode(), "\u0660\u0661".encode(),
    "é".encode(), b"\\ud800", b"\\u0000", b"null", b"true", b"\x1f\x8b", b"0x10", b"1_000", b"+1", b"A" * 300,
)  # fmt: skip
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)
_MOST = 200_000

Step = Callable[[Random, bytearray, Sequence[bytes]], None]


def mutated(random: Random, seeds: Sequence[bytes], words: Sequence[bytes] = ()) -> bytes:
    """One of the seeds changed at up to eight places; now and then as it is, two joined, or noise."""
    kind = random.random()
    if kind < 0.02:
        return random.randbytes(random.randrange(200))
    data = bytearray(random.choice(seeds))
    if kind < 0.06:
        return bytes(data)
    if kind < 0.12:
        other = random.choice(seeds)
        data[random.randint(0, len(data)) :] = other[random.randint(0, len(other)) :]
    for _ in range(1 if kind < 0.5 else random.randint(2, 8)):
        random.choice(_STEPS)(random, data, words or _WORDS)
    return bytes(data[:_MOST])


def cut(random: Random, data: bytes) -> list[bytes]:
    """The bytes in pieces of a length that is drawn once: parsers get them as a network gives them."""
    size = random.choice((1, 2, 7, 64, 1000, len(data) or 1))
    if size < 7 and len(data) > 3000:
        size = 500
    return [data[at : at + size] for at in range(0, len(data), size)]


def _flip(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.randrange(256)


def _drop(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    start = random.randint(0, len(data))
    del data[start : start + random.choice((1, 1, 2, 4, 16, 300))]


def _cut_off(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    del data[random.randint(0, len(data)) :]


def _insert(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    at = random.randint(0, len(data))
    data[at:at] = random.choice(words if random.random() < 0.6 else _WORDS)


def _overwrite(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    at, word = random.randint(0, len(data)), random.choice(words if random.random() < 0.6 else _WORDS)
    data[at : at + len(word)] = word


def _double(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    start = random.randint(0, len(data))
    piece = data[start : start + random.choice((1, 3, 20, 100))]
    times = random.choice((1, 1, 2, 10, 3000)) if len(data) < 5000 else 1
    data[start:start] = piece * times


def _number(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    width = random.choice((1, 2, 4, 8))
    if len(data) >= width:
        at = random.randrange(len(data) - width + 1)
        number = random.choice(_NUMBERS) & (256**width - 1)
        data[at : at + width] = number.to_bytes(width, random.choice(("little", "big")))


def _move(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    start, length = random.randint(0, len(data)), random.choice((1, 4, 16, 100))
    piece = data[start : start + length]
    del data[start : start + length]
    at = random.randint(0, len(data))
    data[at:at] = piece


_STEPS: tuple[Step, ...] = (_flip, _set, _drop, _cut_off, _insert, _insert, _overwrite, _double, _number, _move)
