"""What an agent works with, joined once in its main."""

from collections.abc import Callable
from dataclasses import dataclass

from sagestone.agent.files import InstanceFiles
from sagestone.agent.job_volume import JobVolume
from sagestone.agent.parts import S3Part, ServicePart
from sagestone.agent.reporter import Reporter
from sagestone.agent.stop import StopSignal
from sagestone.containers.runtime import Runtime
from sagestone.domain.file_system import FileSystem
from sagestone.job_logs.writer import LogWriter
from sagestone.s3.client import S3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The real parts of one instance; `clock` gives epoch seconds."""

    files: InstanceFiles
    runtime: Runtime
    s3: S3
    s3_part: S3Part  # for processes of the agent that reach S3 themselves
    reporter: Reporter
    logs: LogWriter
    stop: StopSignal
    clock: Callable[[], float]
    service: ServicePart | None = None
    file_systems: tuple[FileSystem, ...] = ()
    volume: JobVolume | None = None  # where the job's volume is an encrypted one
    log_limit_bytes: int = 256 * 1024 * 1024

    def say(self, text: str) -> None:
        """A sentence of ours into the job's log, told apart from what its program says."""
        self.logs.write(self.clock(), f"[sagestone] {text}")
