"""A training job as tests see it: real agents, a real runtime, the embedded store, and what they left behind."""

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from sagestone.agent.files import InstanceFiles
from sagestone.agent.parts import Parts, RuntimePart, S3Part
from sagestone.containers.engine.runtime import EngineRuntime
from sagestone.containers.labels import instance_labels
from sagestone.containers.runtime import Runtime
from sagestone.containers.sandbox.runtime import SandboxRuntime
from sagestone.domain.assignment import Host, Limits, TrainingAssignment
from sagestone.domain.channel import Channel
from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.file_system import FileSystem
from sagestone.domain.image import ImageReference
from sagestone.domain.training_job import TrainingJobSpec
from sagestone.job_logs.names import TRAINING_GROUP, NoSuchStream, training_stream
from sagestone.job_logs.reader import LogReader
from sagestone.s3.client import write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage.storage import open_storage
from sagestone.s3.uri import S3Uri
from tests.images import script, write_archive

HOME, JOB = "test", "training/job"
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A runtime with its part, and the digest of an image whose train runs `$PROGRAM` in a shell."""

    runtime: Runtime
    part: RuntimePart
    digest: str

    @classmethod
    def sandbox(cls, directory: Path) -> "Platform":
        """The sandbox runtime with its images below `directory`."""
        part = RuntimePart(kind="sandbox", directory=str(directory / "runtime"))
        return cls._with_image(SandboxRuntime(directory / "runtime"), part, directory)

    @classmethod
    def engine(cls, url: str, directory: Path) -> "Platform":
        """The engine that answers at `url`."""
        return cls._with_image(EngineRuntime(url), RuntimePart(kind="engine", engine_url=url), directory)

    @classmethod
    def _with_image(cls, runtime: Runtime, part: RuntimePart, directory: Path) -> "Platform":
        archive = directory / "train.tar"
        write_archive(archive, "tests/train:1", {"/bin/train": script('exec sh -c "$PROGRAM"')})
        (image,) = runtime.load_archive(archive)
        return cls(runtime=runtime, part=part, digest=image.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where the jobs of one test run: a platform, a directory of their own, and a store with one bucket.

    The agents reach that store by its files, or by `s3_part` when there is one.
    """

    platform: Platform
    directory: Path
    s3_part: S3Part | None = None
    s3: EmbeddedS3 = field(init=False)

    def __post_init__(self) -> None:
        storage = open_storage(self.directory / "s3")
        storage.buckets.create("bucket", "us-east-1", time.time())
        storage.close()
        object.__setattr__(self, "s3", EmbeddedS3(self.directory / "s3"))

    def put(self, key: str, content: bytes) -> None:
        write_all(self.s3, S3Uri("bucket", key), [content])

    def get(self, key: str) -> bytes:
        with self.s3.read(S3Uri("bucket", key)) as pieces:
            return b"".join(pieces)

    def remove(self, key: str) -> None:
        self.s3.delete(S3Uri("bucket", key))

    def keys(self) -> list[str]:
        return [info.key for info in self.s3.list(S3Uri("bucket", ""))]

    def archive(self, key: str) -> dict[str, bytes | str]:
        """The members of a .tar.gz in the bucket: contents of files, `-> target` for links; no directories."""
        members: dict[str, bytes | str] = {}
        with tarfile.open(fileobj=io.BytesIO(self.get(key)), mode="r:gz") as archive:
            for member in archive:
                if member.issym():
                    members[member.name] = f"-> {member.linkname}"
                elif member.isfile():
                    content = archive.extractfile(member)
                    assert content is not None
                    members[member.name] = content.read()
        return members


class TrainingInstance:
    """One host of a job whose container runs a shell program."""

    def __init__(
        self,
        ground: Ground,
        program: str,
        *,
        name: str = "job",
        host: Host | None = None,
        limits: Limits | None = None,
        network: str | None = None,
        grace: float = 10.0,
        channels: tuple[Channel, ...] = (),
        environment: Mapping[str, str] | None = None,
        log_limit_bytes: int = 256 * 1024 * 1024,
        machine: tuple[FileSystem, ...] = (),
        **job: Any,
    ) -> None:
        self.ground, self._log_limit_bytes, self._machine = ground, log_limit_bytes, machine
        host = host or Host(number=1, count=1)
        self.files = InstanceFiles.of(ground.directory / "jobs", f"training/{name}", host.number)
        spec = {
            "image": ImageReference(uri="tests/train:1", digest=ground.platform.digest),
            "environment": {"PROGRAM": program, **(environment or {})},
            "output_uri": "s3://bucket/out/",
            "instance_type": "ml.m5.large",
            "instance_count": host.count,
            **job,
        }
        self.assignment = TrainingAssignment(
            job=TrainingJobSpec(
                name=name,
                arn=f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
                role_arn="arn:aws:iam::123456789012:role/r",
                channels=channels,
                **spec,
            ),
            host=host,
            region="us-east-1",
            created_at=1_700_000_000.25,
            limits=limits or Limits(),
            network=network,
            labels=instance_labels(HOME, f"training/{name}", host.number),
            stop_grace_seconds=grace,
        )
        self.files.write_assignment(self.assignment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "TrainingInstance":
        """Start an agent, as the placement does."""
        part = S3Part(kind="embedded", directory=str(self.ground.directory / "s3"))
        parts = Parts(
            runtime=self.ground.platform.part,
            s3=self.ground.s3_part or part,
            logs_directory=str(self.ground.directory / "logs"),
            log_limit_bytes=self._log_limit_bytes,
            file_systems=self._machine,
        )
        with self.files.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sagestone.agent", str(self.files.directory)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            stdin.write(msgspec.json.encode(parts) + b"\n")
        return self

    def run(self) -> Outcome:
        """Start an agent and wait for the outcome and for the end of the agent."""
        return self.start().outcome()

    def kill(self) -> None:
        """kill -9 of the agent."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        self.files.stop.touch()

    def ended(self) -> int:
        """Wait for the end of the agent; its exit code."""
        assert self._process is not None
        return self._process.wait(PATIENCE_SECONDS)

    def outcome(self) -> Outcome:
        """Wait for the end of the agent; the outcome it told."""
        code = self.ended()
        events = self.events()
        said = self.files.log.read_text(errors="replace")
        assert code == 0, said
        assert events, said
        assert events[-1].outcome is not None, said
        return events[-1].outcome

    def events(self) -> list[InstanceEvent]:
        return self.files.read_events()

    def stages(self) -> list[str]:
        """The stages told, each once."""
        stages: list[str] = []
        for event in self.events():
            if event.stage is not None and event.stage not in stages[-1:]:
                stages.append(event.stage)
        return stages

    def log(self) -> list[str]:
        stream = training_stream(self.assignment.job.name, self.assignment.host.number, self.assignment.created_at)
        reader = LogReader(self.ground.directory / "logs")
        try:
            page = reader.events(TRAINING_GROUP, stream, limit=1_000_000, from_head=True)
        except NoSuchStream:
            return []
        return [event.message for event in page.events if not event.message.startswith("[sagestone] algo-")]

    def await_line(self, line: str) -> None:
        """Wait until the log has that line."""
        self.await_true(lambda: line in self.log(), f"the line {line!r} in the log")

    def await_true(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, (
                f"waited in vain for {what}; the agent said: {self.files.log.read_text()}"
            )
            time.sleep(0.02)

    def left_behind(self) -> list[str]:
        """What is still there of the job beside its documents: containers and data."""
        containers = [container.name for container in self.ground.platform.runtime.find(self.assignment.labels)]
        return containers + ([str(self.files.opt_ml)] if self.files.opt_ml.exists() else [])
