"""The clock of a run: it goes on where an earlier agent began, and does not heed the time of day."""

import subprocess
import sys
import time
from pathlib import Path

from sagestone.agent.run_clock import began_at, steady_seconds, this_start


def test_a_later_agent_goes_on_counting(tmp_path: Path) -> None:
    before = steady_seconds()
    began = began_at(tmp_path / "scratch" / "begun", this_start())
    assert before <= began <= steady_seconds()
    program = "import sys; from pathlib import Path; from sagestone.agent.run_clock import *; "
    program += "print(began_at(Path(sys.argv[1]), this_start()))"
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "scratch" / "begun")], capture_output=True, check=True
    )
    assert float(told.stdout) == began


def test_another_start_of_the_machine_counts_anew(tmp_path: Path) -> None:
    began = began_at(tmp_path / "begun", "one")
    time.sleep(0.01)
    assert began_at(tmp_path / "begun", "two") > began
    (tmp_path / "begun").write_text("two spoilt")
    assert began_at(tmp_path / "begun", "two") > began
    assert list(tmp_path.iterdir()) == [tmp_path / "begun"]
