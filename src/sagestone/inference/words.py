"""What a container said, made short enough for one sentence of a FailureReason."""

import json
import re

_LONGEST = 300
_LONGEST_PAGE = 16 * 1024  # of markup: what opens and never closes is looked for once for each opening
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_HEADLINE = re.compile(r"<title>.*?</title>", re.DOTALL | re.IGNORECASE)


def own_words(body: bytes, content_type: str = "") -> str:
    """The first useful part of an error answer: without markup, a traceback's last line, a JSON object's message."""
    text = body.decode(errors="replace").strip()
    if "json" in content_type or text.startswith("{"):
        text = _json_message(text)
    if "html" in content_type or text[:200].lstrip().lower().startswith(("<!doctype html", "<html")):
        text = _TAG.sub(" ", _HEADLINE.sub(" ", text[:_LONGEST_PAGE]))
    if "Traceback (most recent call last)" in text:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        text = lines[-1]
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _json_message(text: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or nested without measure
        return text
    if isinstance(document, dict):
        for name in ("message", "Message", "error", "detail"):
            if isinstance(document.get(name), str) and document[name].strip():
                return str(document[name])
    return text
