"""Threads share arenas, so that none keeps the memory of its largest request."""

import subprocess
import sys

PROGRAM = """
import threading
from pathlib import Path
from sagestone.compose.allocator import share_arenas

def reserved_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmSize")).split()[1])

share_arenas()
threading.stack_size(1 << 20)
before, done = reserved_kib(), threading.Barrier(13)
for _ in range(12):
    threading.Thread(target=lambda: (bytearray(100_000), done.wait())).start()
grown = reserved_kib() - before
done.wait()
print(grown)
"""


def test_twelve_threads_have_two_arenas() -> None:
    """An arena reserves 64 MiB of addresses."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 300 * 1024
