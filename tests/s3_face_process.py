"""Serves a directory's store in a process of its own, for tests that kill it: `python -m tests.s3_face_process DIR`."""

import sys
from pathlib import Path

from tests.s3_face import running_face


def main() -> None:
    """Print the port, then serve until standard input ends."""
    with running_face(Path(sys.argv[1])) as face:
        face.storage.sweep()
        sys.stdout.write(f"{face.port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
