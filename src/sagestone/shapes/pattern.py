"""The model's patterns, which are written for Java, as Python's `regex` understands them."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

#: A pattern that needs longer than this on one value counts as broken (only hostile values come near).
PATIENCE_SECONDS = 0.25

#: Patterns that mean something in Java and nothing (or something else) here, each with its shapes.
ODD_PATTERNS = {
    # AthenaCatalog, Catalog, Database, TableName: Java reads the pairs of surrogates as U+10000 … U+10FFFF.
    r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*": (
        r"[\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF\t]*"
    ),
    # LambdaFunctionArn and its like: Java's \p{Alnum} is ASCII.
    r"arn:[\p{Alnum}\-]+:lambda:[\p{Alnum}\-]+:[0-9]{12}:function:.*": (
        r"arn:[a-zA-Z0-9\-]+:lambda:[a-zA-Z0-9\-]+:[0-9]{12}:function:.*"
    ),
    # Tag keys and values of some services: `${1,128}` is the end of the text, told 1 to 128 times.
    r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}": r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)",
    r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}": r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)",
}


#: Requests say the same words again and again: so many short texts are remembered of each pattern, of which there are
#: hundreds: what a flood of other words may take of memory is some ten megabytes.
_REMEMBERED = 64
SHORT: Final = 128


class TooSlow(Exception):
    """A value made its pattern run longer than our patience: nobody should look at the rest of the request."""


def full_match(pattern: str) -> Callable[[str], bool]:
    """Whether the whole of a text matches, as Java's `matches()` would say: `\\d \\w \\s` are ASCII, `.` stops at every
    Unicode line end, `\\p{…}` are Unicode classes. The function raises TooSlow."""
    matches, nested = _compiled(pattern), _is_nested(pattern)
    takes_plain_text = _takes_plain_text(pattern)

    def fits(text: str) -> bool:
        if takes_plain_text and text.isascii() and text.isprintable() and text:
            return True
        if not nested and len(text) < 4096:
            # Without `concurrent=False` every match, however short, would let the other threads in.
            return matches(text, concurrent=False) is not None
        try:
            return matches(text, timeout=PATIENCE_SECONDS) is not None
        except TimeoutError:
            raise TooSlow from None

    remembered = lru_cache(_REMEMBERED)(fits)
    return lambda text: remembered(text) if len(text) <= SHORT else fits(text)


def quick_match(pattern: str) -> Callable[[str], bool] | None:
    """Whether the whole of a text matches for sure, for texts of SHORT characters at most; False says nothing.
    None: there is no quick way to see it."""
    if _takes_plain_text(pattern):
        return lambda text: text.isascii() and text.isprintable() and text != ""
    if _is_nested(pattern):
        return None
    matches = _compiled(pattern)
    return lru_cache(_REMEMBERED)(lambda text: matches(text, concurrent=False) is not None)


@lru_cache(1000)
def _compiled(pattern: str) -> Callable[..., Any]:
    import regex  # type: ignore[import-untyped]  # not before it is needed: it takes a tenth of a start

    known = ODD_PATTERNS.get(pattern, pattern)
    found: Callable[..., Any] = regex.compile(_dots_as_in_java(known), 0 if r"\p{" in known else regex.ASCII).fullmatch
    return found


def _is_nested(pattern: str) -> bool:
    return bool(_NESTED_REPEAT.search(ODD_PATTERNS.get(pattern, pattern)))


def _takes_plain_text(pattern: str) -> bool:
    known = ODD_PATTERNS.get(pattern, pattern)
    return bool(_ONE_CLASS_REPEATED.fullmatch(known)) and _compiled(pattern)(_PLAIN_CHARACTERS) is not None


def _dots_as_in_java(pattern: str) -> str:
    """A dot outside a class matches no line end, and Java knows more line ends than `\\n`."""
    pieces: list[str] = []
    in_class = False
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            pieces.append(pattern[position : position + 2])
            position += 2
            continue
        if character == "[":
            in_class = True
        elif character == "]":
            in_class = False
        pieces.append(_ANY_BUT_LINE_END if character == "." and not in_class else character)
        position += 1
    return "".join(pieces)


_ANY_BUT_LINE_END = r"[^\n\r\u0085\u2028\u2029]"
_NESTED_REPEAT = re.compile(r"\)[*+{]|\.\*.*\.\*")
_ONE_CLASS_REPEATED = re.compile(r"(\.|\[[^\[\]]*\])[*+]")
_PLAIN_CHARACTERS = "".join(map(chr, range(32, 127)))
