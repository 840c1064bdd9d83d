"""How busy the NVIDIA GPUs of a training host are, asked of the driver's own program, which is never waited for."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from sagestone.domain.metric import MetricPoint

PROGRAM = "nvidia-smi"
_QUESTION = ("--query-gpu=uuid,utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")
_PATIENCE_SECONDS = 8.0
_MOST_BYTES = 1 << 16  # what a pipe holds: a program that says more waits for its end


class GpuWatch:
    """One question at a time about some GPUs of this machine, by their UUIDs.

    A program that is not there, fails, takes longer than its patience or says what is not understood gives no metric.
    """

    def __init__(
        self,
        gpus: Sequence[str],
        clock: Callable[[], float],
        program: str = PROGRAM,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._gpus, self._clock, self._program, self._patience = tuple(gpus), clock, program, patience_seconds
        self._asked: subprocess.Popen[bytes] | None = None
        self._deadline = 0.0

    def ask(self) -> None:
        """Begin to ask, unless there are no GPUs or the last question is still open."""
        if not self._gpus or self._asked is not None:
            return
        with suppress(OSError):
            self._asked = subprocess.Popen(
                [self._program, f"--id={','.join(self._gpus)}", *_QUESTION],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # so that all of it can be ended
            )
            self._deadline = time.monotonic() + self._patience

    def answer(self) -> tuple[MetricPoint, ...]:
        """What it answered, once, in percent; nothing while it has not."""
        if self._asked is None:
            return ()
        code = self._asked.poll()
        if code is None:
            if time.monotonic() > self._deadline:
                self._kill()  # one that hangs inside the driver stays; no other is started beside it
            return ()
        text = self._take_output()
        if code != 0:
            return ()
        at = self._clock()
        shares = utilization(text, self._gpus)
        return tuple(MetricPoint(name=name, value=value, at=at) for name, value in shares.items())

    def close(self) -> None:
        """End a question that is still open."""
        if self._asked is not None:
            self._kill()
            with suppress(subprocess.TimeoutExpired):
                self._asked.wait(1.0)
            self._take_output()

    def _kill(self) -> None:
        assert self._asked is not None
        if self._asked.poll() is None:  # else its number may be another's by now
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._asked.pid, signal.SIGKILL)

    def _take_output(self) -> str:
        """All it has said until now, without waiting: somebody it left behind may hold the pipe open."""
        assert self._asked is not None
        assert self._asked.stdout is not None
        with self._asked.stdout as pipe:
            self._asked = None
            os.set_blocking(pipe.fileno(), False)
            try:
                return os.read(pipe.fileno(), _MOST_BYTES).decode("ascii", "replace")
            except BlockingIOError:
                return ""


def utilization(text: str, gpus: Sequence[str]) -> dict[str, float]:
    """The metrics of those GPUs, by name, each in percent of one GPU, so 0 to 100 × their number.

    A line a GPU: its UUID, its utilization in percent, its memory used, its memory. A metric that one of them does not
    tell (`[N/A]`, as of a GPU in parts) is left out: the sum of the others would look like idleness.
    """
    lines = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    told = {cells[0]: [_number(cell) for cell in cells[1:]] for cells in lines if len(cells) == 4}
    if not gpus or not all(gpu in told for gpu in gpus):
        return {}
    rows, found = [told[gpu] for gpu in gpus], dict[str, float]()
    busy = [used for used, _, _ in rows if used is not None and used <= 100]
    held = [100.0 * used / size for _, used, size in rows if used is not None and size and used <= size]
    if len(busy) == len(gpus):
        found["GPUUtilization"] = float(sum(busy))
    if len(held) == len(gpus):
        found["GPUMemoryUtilization"] = sum(held)
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
