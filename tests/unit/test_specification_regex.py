"""Metric expressions: those that can be used, and those that would hang the service that compiles them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.metric_regex import regex_objection


@pytest.mark.parametrize(
    "text",
    [
        r".*\[[0-9]+\].*#011validation-rmse:(\S+)",
        "AUC: ([0-9.]*)",
        "loss=(.*?);",
        r"(?<value>\p{N}++)",
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12} ([0-9]{1,5})",
        r"[]{9}]{9}(a)",
        "(" * 200 + "a" + ")" * 200,
    ],
)
def test_usable(text: str) -> None:
    assert regex_objection(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(a{9999}){9999}", "20,000 characters"),
        ("((a{,99}){,99}){,99}", "20,000 characters"),
        ("(a)(b){99999}", "20,000 characters"),
        ("(?x)(a {9999} ) {9999}", "flags x and V"),
        ("(" * 400, "nested too deeply"),
        (r"\Qa\E(b)", "bad escape"),
        ("accuracy", "group in parentheses"),
        ("(?:accuracy)", "group in parentheses"),
        ("[[[[", "unterminated"),
    ],
)
def test_not_usable(text: str, reason: str) -> None:
    assert reason in str(regex_objection(text))


@given(st.text(alphabet=r"ab()[]{}\|*+?^$.0123,:<=!-P", max_size=40))
def test_whatever_it_is_the_answer_is_a_clause_or_none(text: str) -> None:
    reason = regex_objection(text)
    assert reason is None or reason.startswith("Member must ")


def test_expressions_of_strangers_are_not_kept() -> None:
    """Compiled, each of them takes nearly a megabyte."""

    def resident_kib() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])

    assert regex_objection("(0a|b?c){900}") is None
    before = resident_kib()
    assert [regex_objection(f"({number}a|b?c){{900}}") for number in range(100, 180)] == [None] * 80
    assert resident_kib() < before + 16 * 1024
