"""From the start of the process to its first answer."""

from bench.report import Figure, at_most, median, show
from bench.service import service

_ROUNDS = 5


def main() -> None:
    """Measure and print."""
    seconds = []
    for _ in range(_ROUNDS):
        with service() as running:
            seconds.append(running.seconds_to_answer)
    show(
        "start",
        [
            at_most("process start to first answer, median of 5", median(seconds), "s", 1.0),
            Figure(name="slowest of 5", value=max(seconds), unit="s"),
        ],
    )
