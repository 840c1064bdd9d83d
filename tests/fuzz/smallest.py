"""The smallest part of a failing case that still fails."""

from collections.abc import Callable


def smallest(data: bytes, fails: Callable[[bytes], bool], tries: int = 600) -> bytes:
    """What is left when everything that can go has gone; `fails` is asked at most `tries` times."""
    size = max(1, len(data) // 2)
    while size:
        at = 0
        while at < len(data):
            if tries <= 0:
                return data
            tries -= 1
            fewer = data[:at] + data[at + size :]
            if fails(fewer):
                data = fewer
            else:
                at += size
        size //= 2
    return data
