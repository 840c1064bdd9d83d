"""`./run fuzz [--requests N] [--seed S] [--seconds T] [NAMES]`."""

import argparse
import random
import sys
import time

from tests.fuzz.in_process import Outcome, attack
from tests.fuzz.names import PARSERS


def main() -> int:
    """Run, say how it went; 0 when there is nothing to complain of."""
    parser = argparse.ArgumentParser(prog="./run fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(sorted(PARSERS))}; else all")
    parser.add_argument("--requests", type=int, default=2000, help="requests of each kind, and calls of each parser")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it; else a random one")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no more is begun")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(PARSERS))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    until = time.monotonic() + options.seconds
    print(f"seed {seed}", flush=True)
    complaints: list[str] = []
    total = 0
    for name in options.names or PARSERS:
        outcome = attack(PARSERS[name], max(1, int(options.requests * PARSERS[name].weight)), str(seed), until)
        _tell(outcome)
        complaints += outcome.complaints
        total += outcome.calls
    print(f"{total} calls; " + ("nothing to complain of" if not complaints else f"repeat it with --seed {seed}"))
    return 1 if complaints else 0


def _tell(outcome: Outcome) -> None:
    slowest = outcome.slowest_seconds * 1000
    print(
        f"{outcome.name:20} {outcome.calls:8} calls, {outcome.refused:8} refused, slowest {slowest:7.1f} ms", flush=True
    )
    for complaint in outcome.complaints:
        print(f"  ✗ {complaint}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
