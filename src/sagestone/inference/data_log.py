"""The data log of an instance: what the platform has to say about parameters and objects."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sagestone.inference.objects import InputObject
from sagestone.inference.parameters import Parameters
from sagestone.job_logs.writer import LogWriter

_MOST_LINES = 200  # of one failure


class DataLog:
    """Writes `<stream>/data-log` beside the container's own stream, in the service's form."""

    def __init__(self, beside: LogWriter, clock: Callable[[], float]) -> None:
        self._writer = LogWriter(beside.logs, beside.group, f"{beside.stream}/data-log")
        self._clock = clock

    def parameters(self, parameters: Parameters, ignored: Sequence[str]) -> None:
        """The parameters that hold, and what of the container's answer does not."""
        self._say([parameters.line(), *ignored])

    def failed(self, source: InputObject, lines: Sequence[str]) -> None:
        """Why an object has no output."""
        shown = lines[:_MOST_LINES]
        self._say([f"{source.uri.bucket}/{source.uri.key}: {line}" for line in shown])

    def close(self) -> None:
        self._writer.close()

    def _say(self, lines: Sequence[str]) -> None:
        now = self._clock()
        at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        for line in lines:
            clean = "".join(c if c.isprintable() else " " for c in line)
            self._writer.write(now, f"{at}:[sagemaker logs]: {clean}")
        self._writer.flush()
