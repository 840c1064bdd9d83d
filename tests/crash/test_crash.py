"""The short form of the harness: one round whose seed draws a spot job on two hosts and a pipeline on two instances."""

import subprocess
import sys

import pytest

from tests.crash.enclosure import ROOT, why_impossible

_WHAT = "service,agent,interrupt,s3"
_OPTIONS = ["--seed", "5997", "--kills", "5", "--what", _WHAT, "--on", "other-s3", "--in-flight", "2"]


@pytest.mark.timeout(900)
def test_what_is_killed_is_carried_on_and_leaves_nothing_behind() -> None:
    if (reason := why_impossible()) is not None:
        pytest.skip(f"the crash harness cannot run here: {reason}")
    command = [sys.executable, "-m", "tests.crash", *_OPTIONS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"./run crash {' '.join(_OPTIONS)}\n{done.stdout}{done.stderr}"
