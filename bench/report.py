"""Figures with their aims, printed as one table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured value; `aim` says what it should be, `met` whether it is (None: a yardstick without an aim)."""

    name: str
    value: float
    unit: str
    aim: str = ""
    met: bool | None = None


def median(values: Sequence[float]) -> float:
    """The middle value of the rounds."""
    return statistics.median(values)


def ratio(name: str, value: float, yardstick: float, least: float) -> Figure:
    """A ratio that should be at least `least`."""
    found = value / yardstick
    return Figure(name=name, value=found, unit="x", aim=f"≥ {least:g}", met=found >= least)


def at_most(name: str, value: float, unit: str, most: float) -> Figure:
    """A value that should be at most `most`."""
    return Figure(name=name, value=value, unit=unit, aim=f"≤ {most:g}", met=value <= most)


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print one block of the report."""
    print(f"\n{title}")
    for figure in figures:
        mark = {None: " ", True: "✓", False: "✗"}[figure.met]
        print(f"  {mark} {figure.name:<58} {figure.value:>12,.2f} {figure.unit:<6} {figure.aim}", flush=True)
