"""Whether a metric's regular expression can be used: a stranger wrote it, and compiling one can be made to hang."""

import re
from functools import lru_cache
from typing import Final

#: Largest expression after its counted repeats are written out (`(a{100}){100}` is 10,000); a larger one takes seconds.
LARGEST: Final = 20_000

_FLAGS: Final = re.compile(r"\(\?[a-zA-Z0-9-]*[xV]")
_TOKEN: Final = re.compile(
    r"(?P<atom>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[(){|])"
    r"|(?P<open>\()"
    r"|(?P<close>\))"
    r"|\{(?P<least>[0-9]*),?(?P<most>[0-9]*)\}"
    r"|(?P<other>.)",
    re.DOTALL,
)


@lru_cache(1024)
def regex_objection(text: str) -> str | None:
    """Why the expression is none for a metric, as a clause for a message; None: it can be used."""
    if _FLAGS.search(text):
        return "Member must not set the flags x and V, which change how the expression itself is read"
    if "{" in text and _written_out(text) > LARGEST:
        return "Member must not be larger than 20,000 characters when its counted repeats are written out"
    import regex  # type: ignore[import-untyped]  # not before it is needed: it takes a tenth of a start

    try:
        groups = regex.compile(text, cache_pattern=False).groups  # regex would keep 500, up to a megabyte each
    except regex.error as error:
        return f"Member must be a regular expression that compiles: {error}"
    except (RecursionError, OverflowError, MemoryError):
        return "Member must be a regular expression that compiles: it is nested too deeply, or repeats too often"
    if groups == 0:
        return "Member must have a group in parentheses that catches the value, such as loss=([0-9.]+)"
    return None


def _written_out(text: str) -> int:
    """About how many characters the expression has when `a{3}` is written `aaa`, at least."""
    sizes, last = [0], 0  # of every open group so far, the innermost last; and of what a repeat would multiply
    for token in _TOKEN.finditer(text):
        if token["open"]:
            sizes.append(0)
            last = 0
        elif token["close"] and len(sizes) > 1:
            last = sizes.pop() + 1
            sizes[-1] += last
        elif token["least"] is not None or token["most"] is not None:
            times = max(int(token["least"] or 0), int(token["most"] or 0), 1)
            sizes[-1] += last * (times - 1)
            last *= times
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)
