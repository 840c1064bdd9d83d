import subprocess
import sys
from pathlib import Path

from sagestone.file_lock import is_held

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_as_long_as_its_process_lives(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert not is_held(lock)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_held(lock)
        assert is_held(lock)  # looking took nothing away
        holder.kill()
        holder.wait()
    assert not is_held(lock)
