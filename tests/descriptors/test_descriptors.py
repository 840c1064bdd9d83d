"""Nothing uses a descriptor that another has closed, where threads are given up or late; and such a use is found.

`./run descriptors` looks at more than these.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.descriptors.watch import Quarantine

ROOT = Path(__file__).parents[2]
WATCHED = (
    "tests/unit/test_channels_file.py",
    "tests/unit/test_channels_file_given_up.py",
    "tests/unit/test_channels_hostile.py",
    "tests/unit/test_checkpoint_sync_hostile.py",
    "tests/unit/test_fast_file_growing.py",
    "tests/unit/test_gunzip.py",
    "tests/unit/test_inference_invoke.py",
    "tests/unit/test_inference_transformation.py",
    "tests/unit/test_pipe_end.py",
    "tests/unit/test_relay.py",
)

LATE = """
import os, threading
file, closed = os.open("/dev/null", os.O_WRONLY), threading.Event()
def work():
    closed.wait()
    {late}
thread = threading.Thread(target=work)
thread.start()
os.close(file)
fresh = open("fresh", "wb")
closed.set()
thread.join()
"""
CAREFUL = """
import os, socket, subprocess, threading
for _ in range(1000):
    os.close(os.open("/", os.O_RDONLY))
ours, theirs = socket.socketpair()
ours.close()
ours.close()
copy = os.dup(theirs.fileno())
theirs.close()
os.dup2(os.open("/dev/null", os.O_RDONLY), copy)
assert os.read(copy, 1) == b""
os.close(copy)
assert subprocess.run(["cat"], input=b"through a child", capture_output=True, close_fds=True).stdout
if (child := os.fork()) == 0:
    os.close(os.open("/", os.O_RDONLY))
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize(
    ("late", "found"),
    [
        ("os.write(file, b'a line')", "write"),
        ("os.close(file)", "close"),
        ("os.open('x', os.O_RDONLY, dir_fd=file)", "openat64"),
        ("os.open(f'/proc/self/fd/{file}', os.O_WRONLY)", "open64"),
        ("os.dup(file)", "fcntl64"),
    ],
)
def test_a_thread_that_is_late_is_found_and_meets_nobody_elses_file(tmp_path: Path, late: str, found: str) -> None:
    quarantine = Quarantine(tmp_path)
    program = [sys.executable, "-c", LATE.replace("{late}", late)]
    ended = subprocess.run(program, env=quarantine.environment(), cwd=tmp_path, capture_output=True, text=True)
    assert "OSError: [Errno 9] Bad file descriptor" in ended.stderr
    (use,) = quarantine.uses()
    assert use.what.startswith(f"{found} of ")
    assert "in work" in use.stack[0]
    assert (tmp_path / "fresh").read_bytes() == b""


def test_nothing_is_found_where_everybody_keeps_to_his_own(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    program = [sys.executable, "-c", CAREFUL]
    ended = subprocess.run(program, env=quarantine.environment(), capture_output=True, text=True, timeout=120)
    assert (ended.returncode, quarantine.uses()) == (0, []), ended.stderr


@pytest.mark.timeout(600)
def test_nothing_outlives_its_owner(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    pytest_ = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-m", "not docker and not podman"]
    ended = subprocess.run(
        [*pytest_, *WATCHED], env=quarantine.environment(), cwd=ROOT, capture_output=True, text=True, timeout=590
    )
    assert not (uses := quarantine.uses()), "\n\n".join(map(str, uses))
    assert ended.returncode == 0, ended.stdout[-4000:]
