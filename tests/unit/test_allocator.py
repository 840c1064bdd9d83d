"""Nothing that was large for a moment stays: threads share arenas, and large pieces are mapped one by one."""

import subprocess
import sys

ARENAS = """
import threading
from pathlib import Path
from sagestone.compose.allocator import tell_allocator

def reserved_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmSize")).split()[1])

tell_allocator()
threading.stack_size(1 << 20)
before, done = reserved_kib(), threading.Barrier(13)
for _ in range(12):
    threading.Thread(target=lambda: (bytearray(100_000), done.wait())).start()
grown = reserved_kib() - before
done.wait()
print(grown)
"""

# mallinfo2 of glibc counts bytes: of all arenas, and of the pieces that are mapped one by one.
LARGE_PIECES = """
import ctypes

from sagestone.compose.allocator import tell_allocator

class Usage(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b used free keepcost".split()]

library = ctypes.CDLL(None)
library.mallinfo2.restype = Usage
tell_allocator()
bytearray(16 << 20)  # from now on glibc would take 16 MiB for a usual size
before = library.mallinfo2()
pieces = [bytearray(2 << 20) for _ in range(16)]
held = library.mallinfo2()
between = [bytes(600 + number) for number in range(2000)]  # small, and there for good
del pieces
after = library.mallinfo2()
print(held.hblkhd - before.hblkhd, after.hblkhd - before.hblkhd, after.arena - before.arena)
"""

# What `tell_allocator` leaves in the arenas: pieces below its bound with something small after each.
BETWEEN = """
from pathlib import Path
from sagestone.compose.allocator import give_back_free_memory, tell_allocator

def resident_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

tell_allocator()
before, pieces, small = resident_kib(), [], []
for _ in range(64):
    pieces.append(b"x" * (1 << 20))
    small.append(b"x" * 5000)
del pieces
held = resident_kib() - before
give_back_free_memory()
print(held, resident_kib() - before)
"""


def output_of(program: str) -> list[int]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


def test_twelve_threads_have_two_arenas() -> None:
    """An arena reserves 64 MiB of addresses."""
    assert output_of(ARENAS)[0] < 300 * 1024


def test_pieces_of_megabytes_are_gone_when_they_are_freed() -> None:
    mapped, still_mapped, in_arenas = output_of(LARGE_PIECES)
    assert mapped >= 32 << 20
    assert still_mapped == 0
    assert in_arenas < 16 << 20


def test_free_pages_between_what_is_kept_are_given_back() -> None:
    held, kept = output_of(BETWEEN)
    assert held > 48 * 1024
    assert kept < 16 * 1024
