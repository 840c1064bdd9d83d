"""A process that lives holds a lock on a file (flock): the kernel takes it away with the process, however that ends."""

import fcntl
import os
from pathlib import Path


def is_held(lock: Path) -> bool:
    """Whether a living process holds it; looking takes it for a moment, shared, when it is free. No file, no lock."""
    try:
        file = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
