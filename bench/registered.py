"""Describe, create and list of a service with 100,000 algorithms, in turns with the same of one with 100.

Both are measured within seconds of each other: a machine's speed changes while 100,000 are registered.
`SAGESTONE_BENCH_ALGORITHMS` asks for another number.
"""

import os
from collections.abc import Iterator, Mapping

from bench.generator import run_load
from bench.report import Figure, median, ratio, show
from bench.requests import signed_call
from bench.service import RunningService, service
from bench.specification import create_request

_FEW, _MANY = 100, int(os.environ.get("SAGESTONE_BENCH_ALGORITHMS", "100000"))
_ROUNDS = 3
_TOGETHER = 2_000


def main() -> None:
    """Register few with one service and many with another; measure them in turns and print the ratios."""
    with service() as small, service() as large:
        services = {_FEW: small, _MANY: large}
        for count, running in services.items():
            for start in range(0, count, _TOGETHER):
                _register(running, start, min(start + _TOGETHER, count))
        rates: dict[tuple[int, str], list[float]] = {}
        for number in range(_ROUNDS):
            for name, count, rate in _round(services, number):
                rates.setdefault((count, name), []).append(rate)
        figures = [
            line
            for name in dict.fromkeys(name for _, name in rates)
            for few, many in [(median(rates[_FEW, name]), median(rates[_MANY, name]))]
            for line in (
                Figure(name=f"{name}, {_FEW} registered", value=few, unit="/s"),
                Figure(name=f"{name}, {_MANY:,} registered", value=many, unit="/s"),
                ratio(f"{name}, many / few", many, few, 0.8),
            )
        ]
        figures += [
            Figure(name=f"resident, {count:,} registered", value=running.resident_mib(), unit="MiB")
            for count, running in services.items()
        ]
    show(f"many registered algorithms (16 connections, in turns, median of {_ROUNDS} rounds)", figures)


def _round(services: Mapping[int, RunningService], number: int) -> Iterator[tuple[str, int, float]]:
    """Requests per second of each call, by name and by how many are registered, each beside the other."""
    asked = {count: _requests(running, number, count) for count, running in services.items()}
    for name in asked[_FEW]:
        for count, running in services.items():
            yield name, count, _rate(name, running, asked[count][name])


def _requests(running: RunningService, number: int, registered: int) -> dict[str, list[bytes]]:
    """The requests of one round, by name; as many different algorithms are described as there are, up to 2,000."""
    described = [f"algorithm-{each % registered:06}" for each in range(0, registered * 4000, registered * 7 // 3)]
    by_name = {"MaxResults": 100, "SortBy": "Name", "SortOrder": "Descending"}
    return {
        "describe": [_call(running, "DescribeAlgorithm", {"AlgorithmName": name}) for name in described[:2000]],
        "create": [_create(running, f"round-{number}-{each}") for each in range(1000)],
        "list, the newest 100": [_call(running, "ListAlgorithms", {"MaxResults": 100, "SortOrder": "Descending"})]
        * 200,
        "list, the oldest 100": [_call(running, "ListAlgorithms", {"MaxResults": 100})] * 200,
        "list, 100 by name, descending": [_call(running, "ListAlgorithms", by_name)] * 200,
        "list, 10 of a name's part": [
            _call(running, "ListAlgorithms", {"MaxResults": 10, "NameContains": "algorithm-00009"})
        ]
        * 400,
    }


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
