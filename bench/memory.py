"""Resident memory of the service with 10,000 registered algorithms."""

from bench.generator import run_load
from bench.report import Figure, at_most, show
from bench.requests import signed_call
from bench.service import service
from bench.specification import create_request

_ALGORITHMS = 10_000


def main() -> None:
    """Measure and print."""
    with service() as running:
        empty = running.resident_mib()
        for start in range(0, _ALGORITHMS, 1000):
            requests = [
                signed_call(running.endpoint, running.keys, "CreateAlgorithm", create_request(f"memory-{number}"))
                for number in range(start, start + 1000)
            ]
            if run_load("127.0.0.1", running.port, requests).refused:
                raise RuntimeError("creates were refused; the figure would mean nothing")
        full = running.resident_mib()
    show(
        "memory of the service",
        [
            Figure(name="resident with no algorithm", value=empty, unit="MiB"),
            at_most("resident with 10,000 algorithms", full, "MiB", 150),
        ],
    )
