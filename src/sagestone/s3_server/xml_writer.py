"""Writes S3's XML answers: text goes in, escaped text comes out."""

import re

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def element(name: str, text: str | int) -> str:
    """One element with text."""
    return f"<{name}>{escape(str(text))}</{name}>"


def group(name: str, *inner: str) -> str:
    """One element that holds elements."""
    return f"<{name}>{''.join(inner)}</{name}>"


def document(root: str, *inner: str, namespace: str = NAMESPACE) -> bytes:
    """A whole document."""
    attribute = f' xmlns="{namespace}"' if namespace else ""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{attribute}>{"".join(inner)}</{root}>'
    return text.encode("utf-8", "replace")


def escape(text: str) -> str:
    """Text as XML 1.0; characters that it cannot hold become character references, as S3 writes them.

    A client that lists keys with such characters asks for encoding-type=url.
    """
    if _PLAIN(text):
        return text
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0]) or f"&#x{ord(match[0]):X};", text)


_PLAIN = re.compile(r"[^&<>\"\x00-\x1f\x7f\ufffe\uffff]*").fullmatch
_SPECIAL = re.compile(r"[&<>\"\x00-\x1f\x7f\ufffe\uffff]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
