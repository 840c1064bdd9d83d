"""Log lines: text for people, or one JSON object a line for programs; both carry the facts that come with a record.

A record's facts are what `extra={"facts": {…}}` says: the id of a request, the ARN of a job. Whatever callers wrote is
escaped: nobody makes a line of their own.
"""

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

import orjson

from sagestone.settings import LogFormat, LogLevel

#: What JSON may hold as it is, and some readers take for the end of a line.
_ENDS_OF_LINES = {ord(c): f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"}


def set_up_logs(format_: LogFormat, level: LogLevel) -> None:
    """Write what happens to standard error in that form, from that level on; libraries' own from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if format_ == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("sagestone").setLevel(level.upper())


class TextLines(logging.Formatter):
    """`TIME LEVEL LOGGER: MESSAGE key=value …`, and a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in _facts(record).items() if value != "")
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}{facts}"
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """An object with time, level, logger and message, the facts, and `exception` where there was one."""

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        try:
            line = orjson.dumps(document, default=str).decode()
        except orjson.JSONEncodeError:  # a lone surrogate: bytes of a caller that are no UTF-8
            whole = {name: _whole(value) for name, value in document.items()}
            line = orjson.dumps(whole, default=str).decode()
        return line.translate(_ENDS_OF_LINES)


def _facts(record: logging.LogRecord) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = getattr(record, "facts", {})
    return facts


def _time(record: logging.LogRecord) -> str:
    return time.strftime(f"%Y-%m-%dT%H:%M:%S.{int(record.msecs):03d}Z", time.gmtime(record.created))


def _whole(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
