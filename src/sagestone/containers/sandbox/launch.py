"""Starts one of the sandbox's own processes: a bare Python that loads one module and little else."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sagestone.containers.runtime import RuntimeFailure

_ROOT = str(Path(__file__).parents[3])
_SECONDS = 120.0  # making a container's file system takes milliseconds


def launch(module: str, orders: bytes, keep: Sequence[int] = ()) -> bytes:
    """Run `main` of that module of this package with `orders` on standard input; what it reports.

    It gets the descriptors `keep` beside, under the same numbers.
    It leaves us by itself: no child stays, and it goes on when we end. Raises RuntimeFailure.
    """
    imports = f"import sys; sys.path.insert(0, {_ROOT!r}); from sagestone.containers.sandbox.{module} import main"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", f"{imports}; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        cwd="/",
        start_new_session=True,
        pass_fds=keep,
    )
    try:
        answer, complaint = process.communicate(orders, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise RuntimeFailure(f"{module} did not report within {_SECONDS:.0f} s") from error
    if not answer:
        raise RuntimeFailure(f"{module} ended without a report: {complaint.decode(errors='replace').strip()[-2000:]}")
    return answer
