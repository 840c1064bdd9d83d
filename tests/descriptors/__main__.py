"""`./run descriptors [PYTEST ARGS]`: the tests, and whether anything uses a descriptor that another has closed."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.descriptors.watch import Quarantine


def main(arguments: list[str]) -> int:
    """Run pytest so; 1 where something was found, else what pytest says."""
    with tempfile.TemporaryDirectory(prefix="sagestone-descriptors-") as directory:
        quarantine = Quarantine(Path(directory))
        code = subprocess.run(
            [sys.executable, "-m", "pytest", *(arguments or ["tests"])], env=quarantine.environment()
        ).returncode
        uses = quarantine.uses()
    for use in uses:
        sys.stdout.write(f"\n{use}\n")
    sys.stdout.write(f"\ndescriptors that were used after they were closed: {len(uses)}\n")
    return 1 if uses else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
