"""The short form of the harness: a fixed seed, and one of the day."""

import random
import subprocess
import sys

import pytest

from tests.crash.enclosure import ROOT, why_impossible

_DRAWN = random.SystemRandom().randrange(1_000_000)


@pytest.mark.parametrize(
    ("seed", "what", "kills"), [(20, "service,agent", 5), (_DRAWN, "service,agent,s3", 5)], ids=["fixed", "drawn"]
)
def test_what_is_killed_is_carried_on_and_leaves_nothing_behind(seed: int, what: str, kills: int) -> None:
    if (reason := why_impossible()) is not None:
        pytest.skip(f"the crash harness cannot run here: {reason}")
    options = ["--seed", str(seed), "--kills", str(kills), "--what", what, "--in-flight", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"./run crash {' '.join(options)}\n{done.stdout}{done.stderr}"
