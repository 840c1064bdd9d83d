"""Log lines: facts in both forms, and nothing that a caller writes makes a line of its own."""

import json
import logging
import sys
from typing import Any

import hypothesis.strategies as st
from hypothesis import example, given

from sagestone.compose.log_lines import JsonLines, TextLines

FACTS = {"request_id": "id-1", "status": 200, "user": ""}


def _record(message: str, facts: dict[str, Any] | None = None, error: bool = False) -> logging.LogRecord:
    exc_info = None
    if error:
        try:
            raise ValueError("inside")
        except ValueError:
            exc_info = sys.exc_info()
    record = logging.LogRecord("sagestone.request", logging.INFO, "", 0, message, (), exc_info)
    record.created, record.msecs = 1_700_000_000.25, 250.0
    if facts is not None:
        record.facts = facts
    return record


def test_text_has_the_facts_that_are_known() -> None:
    line = TextLines().format(_record("GET it: OK", FACTS))
    assert line == "2023-11-14T22:13:20.250Z INFO sagestone.request: GET it: OK request_id=id-1 status=200"


def test_json_has_them_all() -> None:
    document = json.loads(JsonLines().format(_record("GET it: OK", FACTS, error=True)))
    assert document.pop("exception").splitlines()[-1] == "ValueError: inside"
    assert document == {
        "time": "2023-11-14T22:13:20.250Z", "level": "info", "logger": "sagestone.request", "message": "GET it: OK",
        **FACTS,
    }  # fmt: skip


@given(st.text(st.characters()), st.text(st.characters()))
@example("a\x85b\u2028c\u2029d\ne\r", "\udc80\x1c")
def test_one_record_is_one_line_whatever_a_caller_wrote(message: str, value: str) -> None:
    message = message.replace("%", "")
    for form in (TextLines(), JsonLines()):
        line = form.format(_record(message, {"user": value}))
        assert len(line.splitlines()) == 1
        line.encode()
    assert isinstance(json.loads(JsonLines().format(_record(message, {"user": value}))), dict)
