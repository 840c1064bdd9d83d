"""Batch transform: the agent beside a load generator that posts the same bodies to the same container.

Both come to the container in turns, over connections that are kept; what the agent does beside (reading, splitting,
putting together, writing the output) is in its time, what comes before and after the requests is not.
"""

import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.generator import run_load_over
from bench.report import Figure, at_most, median, ratio, show
from sagestone.containers.runtime import ContainerSpec
from sagestone.inference.invoke import Calling
from sagestone.s3.client import write_all
from sagestone.s3.uri import S3Uri
from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance, serving_sandbox

_ROUNDS = 3
_MEGABYTE = 1024 * 1024

#: A plain server: Python's own, one thread a connection, an answer of a few bytes for each row.
_SERVER = """
def answer(request):
    sum(number * number for number in range(int(os.environ["WORK"])))
    return b"0.5\\n" * request.body.count(b"\\n")

class Handler(Handler):
    wbufsize = 1 << 16  # head and body go out together: apart, a client that does not ask would wait 40 ms for each
    def do_POST(self):
        self._send(Reply(200, answer(Request(0, self._body(), self)), "text/csv"))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is transformed: a name, lines of that size, in one object, and how.

    `work` is what the container does for a request: 10,000 take about half a millisecond. `aim` None: a yardstick.
    """

    name: str
    line: bytes
    lines: int
    single: bool
    concurrency: int
    work: int = 0
    aim: float | None = 0.9

    @property
    def environment(self) -> dict[str, str]:
        return {"PROGRAM": _SERVER, "WORK": str(self.work)}

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of the requests that it comes to (MaxPayloadInMB 6)."""
        if self.single:
            return [self.line] * self.lines
        fit = 6 * _MEGABYTE // len(self.line)
        whole, rest = divmod(self.lines, fit)
        return [self.line * fit] * whole + ([self.line * rest] if rest else [])


_ROW = b",".join(b"%.4f" % (number / 7) for number in range(12)) + b"\n"
_CASES = (
    _Case(name="SingleRecord, tiny records", line=_ROW, lines=2_500, single=True, concurrency=1, work=10_000),
    _Case(
        name="SingleRecord, tiny records, 4 at once", line=_ROW, lines=2_500, single=True, concurrency=4, work=10_000
    ),
    _Case(
        name="SingleRecord, a container that does nothing", line=_ROW, lines=8_000, single=True, concurrency=1, aim=None
    ),
    _Case(name="MultiRecord, CSV", line=_ROW, lines=12_000_000, single=False, concurrency=1),
    _Case(name="MultiRecord, CSV, 4 at once", line=_ROW, lines=12_000_000, single=False, concurrency=4),
)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        platform = serving_sandbox(directory)
        for case in _CASES:
            ground = Ground(platform=platform, directory=directory / case.name)
            _put_lines(ground, case.lines)
            ours, theirs, memory = [], [], []
            for number in range(_ROUNDS):
                theirs.append(_load(ground, case, number))
                seconds, resident = _agent(ground, case, number)
                ours.append(seconds)
                memory.append(resident)
            requests = len(case.bodies)
            show(
                f"batch transform: {case.name} ({requests:,} requests, {case.lines * len(case.line) / 1e6:,.0f} MB)",
                [
                    Figure(name="load generator", value=requests / median(theirs), unit="req/s"),
                    Figure(name="agent", value=requests / median(ours), unit="req/s"),
                    Figure(name="agent, data", value=case.lines * len(case.line) / median(ours) / 1e6, unit="MB/s"),
                    _compared(case, median(theirs), median(ours)),
                    Figure(
                        name="more than the load generator, a request",
                        value=(median(ours) - median(theirs)) / requests * 1e6,
                        unit="µs",
                    ),
                    at_most("largest memory of the agent", max(memory), "MiB", 200),
                ],
            )
        _show_memory(Ground(platform=platform, directory=directory / "memory"))


def _put_lines(ground: Ground, count: int) -> None:
    whole, rest = divmod(count, 10_000)
    write_all(ground.s3, S3Uri("bucket", "in/a.csv"), [*[_ROW * 10_000] * whole, _ROW * rest])


def _compared(case: _Case, theirs: float, ours: float) -> Figure:
    name = "agent / load generator"
    return Figure(name=name, value=theirs / ours, unit="x") if case.aim is None else ratio(name, theirs, ours, case.aim)


def _show_memory(ground: Ground) -> None:
    """What an object 32 times as large needs more."""
    found = []
    for number, megabytes in enumerate((16, 512)):
        lines = megabytes * _MEGABYTE // len(_ROW)
        case = _Case(name="memory", line=_ROW, lines=lines, single=False, concurrency=1)
        _put_lines(ground, lines)
        found.append(_agent(ground, case, number)[1])
    show(
        "batch transform: memory of the agent",
        [
            Figure(name="largest with an object of 16 MB", value=found[0], unit="MiB"),
            Figure(name="largest with an object of 512 MB", value=found[1], unit="MiB"),
            at_most("larger object / smaller object", found[1] / found[0], "x", 1.25),
        ],
    )


def _load(ground: Ground, case: _Case, number: int) -> float:
    """Seconds for all bodies by the load generator, in a fresh container of the same image."""
    runtime = ground.platform.runtime
    spec = ContainerSpec(
        name=f"load-{number}",
        image=ground.platform.digest,
        command=("serve",),
        hostname="algo-1",
        environment=case.environment,
    )
    container = runtime.create(spec)
    try:
        runtime.start(container)
        head = Calling(
            content_type="text/csv", accept=None, timeout_seconds=600, max_retries=0, most_answer_bytes=_MEGABYTE
        ).start("text/csv")  # the same headers: reading them costs the container more than all else
        # Each in memory of its own, as parts of a file are: one that is sent again and again stays in the cache.
        requests = [head + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in case.bodies]
        sockets = [_connected(ground, container) for _ in range(case.concurrency)]
        rate = run_load_over(sockets, requests)
        if rate.refused:
            raise RuntimeError("requests were refused; the figure would mean nothing")
        return len(requests) / rate.per_second
    finally:
        runtime.remove(container)


def _connected(ground: Ground, container: str) -> socket.socket:
    deadline = time.monotonic() + 30
    while True:
        try:
            return ground.platform.runtime.connect(container, 8080, 5.0)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _agent(ground: Ground, case: _Case, number: int) -> tuple[float, float]:
    """Seconds between the first request and the end of the output, and the agent's largest resident size in MiB."""
    instance = TransformInstance(
        ground,
        name=f"job-{number}",
        container_environment=case.environment,
        content_type="text/csv",
        split_type="Line",
        assemble_with="Line",
        batch_strategy="SingleRecord" if case.single else "MultiRecord",
        max_concurrent_transforms=case.concurrency,
    ).start()
    assert instance.process is not None
    status, largest = Path(f"/proc/{instance.process.pid}/status"), 0.0
    while instance.process.poll() is None:
        largest = max(largest, _resident(status))
        time.sleep(0.05)
    outcome = instance.outcome()
    if outcome.ending != "Completed":
        raise RuntimeError(f"the transform failed: {outcome.failure}")
    at = {event.message: event.at for event in instance.events()}
    return at["Uploading the last results"] - at["Transforming"], largest


def _resident(status: Path) -> float:
    try:
        rows = status.read_text().splitlines()
    except OSError:
        return 0.0
    return max((int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM:")), default=0.0)
