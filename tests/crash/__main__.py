"""`./run crash [--kills N] [--seed S] [--runtime docker] [--what service,agent] [--on two-services]`.

Rounds of 25 kills, each with a seed (the one after has the next number), which draws what the round is run on, what is
asked and what is killed.
"""

import argparse
import os
import random
import subprocess
import sys
from typing import Any, get_args

from tests.crash.campaign import run
from tests.crash.enclosure import enclosed, why_impossible
from tests.crash.engine import remove_control_groups
from tests.crash.plan import What
from tests.crash.shape import Feature, Runtime, draw_shape
from tests.crash.shape import why_impossible as why_not

_INSIDE = "CRASH_ENCLOSED"
_IN_A_ROUND = 25


def main() -> int:
    """Run, say how it went; 0 when there is nothing to complain of."""
    parser = argparse.ArgumentParser(prog="./run crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it; else a random one")
    parser.add_argument("--runtime", choices=get_args(Runtime), default="sandbox")
    parser.add_argument("--what", help=f"joined by commas, of {', '.join(get_args(What))}; else drawn")
    parser.add_argument("--on", help=f"joined by commas, of {', '.join(get_args(Feature))}; else drawn")
    parser.add_argument("--in-flight", type=int, default=6)
    options = parser.parse_args()
    if not os.environ.get(_INSIDE):
        if (reason := why_impossible()) is not None:
            sys.stderr.write(f"the crash harness cannot run here: {reason}\n")
            return 3
        return _rounds(options)
    return _round(options)


def _rounds(options: argparse.Namespace) -> int:
    """Each in an enclosure of its own, which takes whatever it left with it."""
    first = random.randrange(1_000_000) if options.seed is None else options.seed
    failed = []
    for number, done in enumerate(range(0, options.kills, _IN_A_ROUND)):
        seed, kills = first + number, min(_IN_A_ROUND, options.kills - done)
        asked = ["--seed", str(seed), "--kills", str(kills), "--in-flight", str(options.in_flight)]
        asked += ["--runtime", options.runtime]
        asked += ["--what", options.what] if options.what is not None else []
        asked += ["--on", options.on] if options.on is not None else []
        print(f"./run crash {' '.join(asked)}", flush=True)
        ended = subprocess.run(enclosed("tests.crash", asked), env={**os.environ, _INSIDE: "1"}, check=False)
        remove_control_groups()
        if ended.returncode != 0:
            failed.append(seed)
    print(f"rounds that failed: {failed}" if failed else "nothing to complain of", flush=True)
    return 1 if failed else 0


def _round(options: argparse.Namespace) -> int:
    shape = draw_shape(
        options.seed,
        runtime=options.runtime,
        features=_words(options.on),
        whats=_words(options.what),
    )
    if (reason := why_not(shape)) is not None:
        sys.stderr.write(f"this round cannot run here: {reason}\n")
        return 3
    print(shape, flush=True)

    def say(text: str) -> None:
        print(text, flush=True)

    report = run(shape, seed=options.seed, kills=options.kills, in_flight=options.in_flight, say=say)
    print(report, flush=True)
    return 1 if report.tally.complaints else 0


def _words(option: str | None) -> tuple[Any, ...] | None:
    return None if option is None else tuple(word for word in option.split(",") if word)


if __name__ == "__main__":
    sys.exit(main())
