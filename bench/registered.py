"""Describe, create and list with 100,000 algorithms registered, beside the same with 100.

`SAGESTONE_BENCH_ALGORITHMS` asks for another number.
"""

import os

from bench.generator import run_load
from bench.report import Figure, median, ratio, show
from bench.requests import signed_call
from bench.service import RunningService, service
from bench.specification import create_request

_FEW, _MANY = 100, int(os.environ.get("SAGESTONE_BENCH_ALGORITHMS", "100000"))
_ROUNDS = 3
_TOGETHER = 2_000


def main() -> None:
    """Measure with few, register the others, measure again, and print the ratios."""
    with service() as running:
        _register(running, 0, _FEW)
        few = _measure(running, "few", _FEW)
        resident = running.resident_mib()
        for start in range(_FEW, _MANY, _TOGETHER):
            _register(running, start, min(start + _TOGETHER, _MANY))
        many = _measure(running, "many", _MANY)
        figures = [
            line
            for name in few
            for line in (
                Figure(name=f"{name}, {_FEW} registered", value=few[name], unit="/s"),
                Figure(name=f"{name}, {_MANY:,} registered", value=many[name], unit="/s"),
                ratio(f"{name}, many / few", many[name], few[name], 0.8),
            )
        ]
        figures += [
            Figure(name=f"resident, {_FEW} registered", value=resident, unit="MiB"),
            Figure(name=f"resident, {_MANY:,} registered", value=running.resident_mib(), unit="MiB"),
        ]
    show("many registered algorithms (16 connections, median of 3 rounds)", figures)


def _measure(running: RunningService, word: str, registered: int) -> dict[str, float]:
    """Requests per second, by name."""
    rates: dict[str, list[float]] = {}
    for number in range(_ROUNDS):
        described = [f"algorithm-{each % registered:06}" for each in range(0, registered * 4000, registered * 7 // 3)]
        requests = {
            "describe": [_call(running, "DescribeAlgorithm", {"AlgorithmName": name}) for name in described[:2000]],
            "create": [_create(running, f"{word}-{number}-{each}") for each in range(1000)],
            "list, the newest 100": [_call(running, "ListAlgorithms", {"MaxResults": 100})] * 200,
            "list, 100 by name, descending": [
                _call(running, "ListAlgorithms", {"MaxResults": 100, "SortBy": "Name", "SortOrder": "Descending"})
            ]
            * 200,
            "list, 10 of a name's part": [
                _call(running, "ListAlgorithms", {"MaxResults": 10, "NameContains": "algorithm-00009"})
            ]
            * 100,
        }
        for name, asked in requests.items():
            rates.setdefault(name, []).append(_rate(name, running, asked))
    return {name: median(values) for name, values in rates.items()}


def _register(running: RunningService, start: int, stop: int) -> None:
    _rate("create", running, [_create(running, f"algorithm-{number:06}") for number in range(start, stop)])


def _rate(name: str, running: RunningService, requests: list[bytes]) -> float:
    rate = run_load("127.0.0.1", running.port, requests)
    if rate.refused:
        raise RuntimeError(f"{name}: {rate.refused} requests were refused; the figure would mean nothing")
    return rate.per_second


def _create(running: RunningService, name: str) -> bytes:
    return _call(running, "CreateAlgorithm", create_request(name))


def _call(running: RunningService, operation: str, parameters: dict[str, object]) -> bytes:
    return signed_call(running.endpoint, running.keys, operation, parameters)
