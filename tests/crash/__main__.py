"""`./run crash [--kills N] [--seed S] [--what service,agent,s3]`."""

import argparse
import os
import random
import sys
from typing import get_args

from tests.crash.campaign import Campaign, run
from tests.crash.enclosure import enclosed, why_impossible
from tests.crash.plan import What

_INSIDE = "CRASH_ENCLOSED"


def main() -> int:
    """Run, say how it went; 0 when there is nothing to complain of."""
    parser = argparse.ArgumentParser(prog="./run crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it; else a random one")
    parser.add_argument("--what", default="service,agent", help=f"joined by commas, of {', '.join(get_args(What))}")
    parser.add_argument("--in-flight", type=int, default=6)
    options = parser.parse_args()
    if not os.environ.get(_INSIDE):
        if (reason := why_impossible()) is not None:
            sys.stderr.write(f"the crash harness cannot run here: {reason}\n")
            return 3
        os.environ[_INSIDE] = "1"
        command = enclosed("tests.crash", sys.argv[1:])
        os.execvp(command[0], command)
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    campaign = Campaign(
        seed=seed, kills=options.kills, whats=tuple(options.what.split(",")), in_flight=options.in_flight
    )
    print(f"seed {seed}", flush=True)
    report = run(campaign, lambda text: print(text, flush=True))
    for complaint in report.tally.complaints:
        print(f"✗ {complaint}", flush=True)
    print("nothing to complain of" if not report.tally.complaints else f"repeat it with --seed {seed}")
    return 1 if report.tally.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
