"""`./run fuzz [--requests N] [--seed S] [--seconds T] [NAMES]`."""

import argparse
import random
import sys
import time
from collections.abc import Sequence

from tests.fuzz.footprint import WARM, shown
from tests.fuzz.in_process import attack
from tests.fuzz.names import PARSERS
from tests.fuzz.over_the_wire import KINDS, WARM_UP, attack_service
from tests.fuzz.target import running_target


def main() -> int:
    """Run, say how it went; 0 when there is nothing to complain of."""
    parser = argparse.ArgumentParser(prog="./run fuzz", description=__doc__)
    known = [*KINDS, *PARSERS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; else all")
    parser.add_argument("--requests", type=int, default=10_000, help="of each kind, and calls of each parser")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it; else a random one")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no more is begun")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"unknown: {', '.join(unknown)}")
    names = options.names or known
    seed = str(random.randrange(1_000_000) if options.seed is None else options.seed)
    began, until = time.monotonic(), time.monotonic() + options.seconds
    print(f"seed {seed}", flush=True)
    calls, called = _parsers([name for name in names if name in PARSERS], options.requests, seed, until)
    sent, answered = _service([name for name in names if name in KINDS], options.requests, seed, until)
    complaints = [*called, *answered]
    minutes = (time.monotonic() - began) / 60
    print(f"{calls} calls of parsers and {sent} requests in {minutes:.1f} minutes")
    print("nothing to complain of" if not complaints else f"{len(complaints)} complaints; repeat it with --seed {seed}")
    return 1 if complaints else 0


def _parsers(names: Sequence[str], calls: int, seed: str, until: float) -> tuple[int, list[str]]:
    total, complaints = 0, list[str]()
    for name in names:
        found = attack(PARSERS[name], max(1, int(calls * PARSERS[name].weight)), seed, until)
        slowest = found.slowest_seconds * 1000
        print(f"{name:20} {found.calls:8} calls, {found.refused:8} refused, slowest {slowest:7.1f} ms", flush=True)
        _complain(found.complaints)
        total += found.calls
        complaints += found.complaints
    return total, complaints


def _service(kinds: Sequence[str], requests: int, seed: str, until: float) -> tuple[int, list[str]]:
    total, complaints = 0, list[str]()
    if not kinds:
        return total, complaints
    with running_target() as target:
        for kind in kinds:
            found = attack_service(target, kind, requests, seed, until)
            assert found.warm is not None
            assert found.end is not None
            answers = ", ".join(f"{count} × {answer}" for answer, count in found.answers.most_common())
            print(
                f"{kind:20} {found.sent:8} sent: {answers}; slowest {found.slowest_seconds:.1f} s; "
                f"{shown(found.warm, found.end)}",
                flush=True,
            )
            if found.sent * WARM_UP < WARM:
                print(f"  memory is not judged: the warm-up had fewer than {WARM} requests", flush=True)
            _complain(found.complaints)
            total += found.sent
            complaints += found.complaints
    return total, complaints


def _complain(complaints: Sequence[str]) -> None:
    for complaint in complaints:
        print(f"  ✗ {complaint}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
