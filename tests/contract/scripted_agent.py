"""A stand-in for the agent without containers: it does what a hyperparameter says, to inject what real ones seldom do.

`how` is one of: complete, hang (until stopped), deaf (ignores everything but a kill), die (at once, telling nothing),
die-once (telling nothing the first time, completing the second),
linger (complete, and stay until stopped). `second` lock holders end at once, as agents do.
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

from sagestone.agent.files import InstanceFiles
from sagestone.agent.nursery import tend
from sagestone.agent.reporter import Reporter
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.event import Outcome


def run(directory: Path, handed_over: BinaryIO) -> int:
    """Take the lock, tell events, and end as told."""
    files = InstanceFiles(directory)
    parts = json.loads(handed_over.readline())
    lock = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    files.pid.write_text(str(os.getpid()))
    assignment = files.read_assignment()
    assert isinstance(assignment, TrainingAssignment)
    reporter = Reporter(files, assignment.job.key, assignment.host.number, time.time)
    with (files.directory / "lives").open("a") as lives:
        lives.write(json.dumps({"parts": parts, "environment": dict(os.environ), "session": os.getsid(0)}) + "\n")
    reporter.stage("Training", "scripted")
    how = assignment.job.hyperparameters["how"]
    second_life = len((files.directory / "lives").read_text().splitlines()) > 1
    if how == "die" or (how == "die-once" and not second_life):
        sys.stderr.write("scripted death\n")
        os._exit(1)
    while how == "deaf" or (how == "hang" and not files.stop.exists()):
        time.sleep(0.01)
    reporter.ended(Outcome(ending="Stopped" if files.stop.exists() else "Completed"))
    while how == "linger" and not files.stop.exists():
        time.sleep(0.01)
    return 0


if __name__ == "__main__":
    tend(int(sys.argv[2]), run)
