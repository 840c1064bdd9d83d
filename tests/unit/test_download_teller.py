"""How far a download is, where people look: the secondary status, and now and then the job's log."""

import itertools
from pathlib import Path

from sagestone.agent.download_teller import DownloadTeller
from sagestone.agent.files import InstanceFiles
from sagestone.agent.interruption import Interruption
from sagestone.agent.parts import S3Part
from sagestone.agent.rendezvous import Rendezvous
from sagestone.agent.reporter import Reporter
from sagestone.agent.stop import StopSignal
from sagestone.agent.tools import Tools
from sagestone.channels.downloads import Progress
from sagestone.containers.sandbox.runtime import SandboxRuntime
from sagestone.domain.assignment import Host
from sagestone.job_logs.names import TRAINING_GROUP
from sagestone.job_logs.reader import LogReader
from sagestone.job_logs.writer import LogWriter
from sagestone.s3.embedded import EmbeddedS3


def _tools(directory: Path) -> Tools:
    files = InstanceFiles.of(directory / "jobs", "training/job", 1)
    files.directory.mkdir(parents=True)
    ticks = itertools.count(1_700_000_000.0)
    return Tools(
        files=files,
        runtime=SandboxRuntime(directory / "runtime"),
        s3=EmbeddedS3(directory / "s3"),
        s3_part=S3Part(kind="embedded", directory=str(directory / "s3")),
        reporter=Reporter(files, "training/job", 1, lambda: next(ticks)),
        logs=LogWriter(directory / "logs", TRAINING_GROUP, "job/algo-1-1"),
        stop=StopSignal(files.stop, lambda: next(ticks)),
        clock=lambda: next(ticks),
    )


def _logged(directory: Path) -> list[str]:
    page = LogReader(directory / "logs").events(TRAINING_GROUP, "job/algo-1-1", limit=100, from_head=True)
    return [event.message for event in page.events]


def test_a_long_download_is_told_often_and_logged_rarely(tmp_path: Path) -> None:
    tools, progress, now = _tools(tmp_path), Progress(of_objects=2, of_bytes=2048), 0.0
    interruption = Interruption(tools.stop, Rendezvous(tools.files, Host(number=1, count=1)))
    teller = DownloadTeller(tools, interruption, "train", progress, lambda: now)
    for second in range(1, 41):
        now = float(second)
        progress.bytes += 10
        progress.listed = second > 20
        teller()
    progress.add(2, 0)
    teller.end()
    tools.logs.close()
    told = [event.message for event in tools.files.read_events() if event.stage == "Downloading"]
    assert told[0] == "Downloading input data"
    assert told[1] == "Downloading input data: channel train: 0 of at least 2 objects, 20 bytes of at least 2.0 KiB"
    assert len(told) == 21
    assert _logged(tmp_path) == [
        "[sagestone] Downloading input data: channel train: 0 of at least 2 objects, 60 bytes of at least 2.0 KiB",
        "[sagestone] Downloading input data: channel train: 0 of at least 2 objects, 120 bytes of at least 2.0 KiB",
        "[sagestone] Downloading input data: channel train: 0 of 2 objects, 240 bytes of 2.0 KiB",
        "[sagestone] Downloading input data: channel train: 2 of 2 objects, 400 bytes of 2.0 KiB in 40 s",
    ]


def test_a_channel_that_is_there_at_once_is_not_logged(tmp_path: Path) -> None:
    tools = _tools(tmp_path)
    interruption = Interruption(tools.stop, Rendezvous(tools.files, Host(number=1, count=1)))
    teller = DownloadTeller(tools, interruption, "train", Progress(of_objects=1), lambda: 0.0)
    teller()
    teller.end()
    tools.logs.write(0.0, "first line")
    tools.logs.close()
    assert _logged(tmp_path) == ["first line"]
