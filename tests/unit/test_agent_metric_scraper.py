"""Metrics in log lines."""

import pytest

from sagestone.domain.metric import MetricDefinition, MetricPoint
from sagestone.domain.metric_scraper import MetricScraper, longest_quick_line, number


def _scraper(**expressions: str) -> MetricScraper:
    return MetricScraper([MetricDefinition(name=name, regex=regex) for name, regex in expressions.items()])


def test_expressions_are_searched_anywhere_and_the_first_group_counts() -> None:
    scraper = _scraper(loss=r"loss=(([0-9.]+))", accuracy=r"acc: (\S+)")
    assert scraper.find("epoch 1 loss=0.5, acc: 1#011next", 7.0) == [
        MetricPoint(name="loss", value=0.5, at=7.0),
        MetricPoint(name="accuracy", value=1.0, at=7.0),
    ]
    assert scraper.find("nothing here", 8.0) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64.3#011validation", 64.30000305175781),
        ("0.0036", 0.003599999938160181),
        ("1.19876", 1.1987600326538086),
        ("2.38e-05", 2.3799999326001853e-05),
        ("2.38e-", 2.380000114440918),
        ("-.5", -0.5),
        ("+7.", 7.0),
        (" 3", 3.0),
        ("nan", None),
        ("inf", None),
        ("1e39", None),
        ("1e999", None),
        ("", None),
        ("-", None),
    ],
)
def test_a_value_is_the_leading_number_as_a_32_bit_float(text: str, value: float | None) -> None:
    assert number(text) == value


def test_a_group_that_took_no_part_and_an_expression_without_a_group_give_nothing() -> None:
    assert _scraper(a=r"x(y)?", b=r"x").find("x", 0.0) == []


@pytest.mark.parametrize(
    ("expression", "at_least", "at_most"),
    [
        (r"loss=([0-9.]+)", 3000, 3200),
        (r"(\S+) (\S*)x", 200, 230),
        (r"^((\w|\w)*)-", 0, 0),
        (r"((a+))+", 0, 0),
        (r"(a){2,}", 0, 0),
        (r"(?:a+)+b", 0, 0),
        (r"(?P<x>a+)", 0, 0),
        (r"m (\d)", 10_000_000, 10_000_000),
    ],
)
def test_only_lines_that_cannot_take_long_are_searched_without_a_clock(
    expression: str, at_least: int, at_most: int
) -> None:
    assert at_least <= longest_quick_line(expression) <= at_most


def test_an_expression_that_explodes_is_given_up_and_the_others_go_on() -> None:
    scraper = _scraper(bad=r"^((\w|\w)*)[-:]$", good=r"aaa(\d)")
    line = "a" * 60 + "1"
    for _ in range(25):
        assert [point.name for point in scraper.find(line, 0.0)] == ["good"]
    assert scraper.given_up == ["bad"]
