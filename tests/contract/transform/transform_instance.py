"""A transform job as tests see it: real agents, a real serving container, the embedded store, and what is left."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sagestone.agent.files import InstanceFiles
from sagestone.agent.parts import Parts, RuntimePart, S3Part
from sagestone.containers.engine.runtime import EngineRuntime
from sagestone.containers.labels import instance_labels, job_labels
from sagestone.containers.runtime import Runtime
from sagestone.containers.sandbox.runtime import SandboxRuntime
from sagestone.domain.assignment import Host, Limits, TransformAssignment
from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.image import ImageReference
from sagestone.domain.transform_job import ModelContainer, TransformJobSpec
from sagestone.job_logs.names import TRANSFORM_GROUP
from sagestone.job_logs.reader import LogReader
from tests.contract.training.training_instance import Ground, Platform
from tests.python_image import PYTHON, python_archive

HOME = "test"
PATIENCE_SECONDS = 60.0
SERVE = Path(__file__).with_name("serve_program.py")


def serving_sandbox(directory: Path) -> Platform:
    """The sandbox with the serving image."""
    runtime = SandboxRuntime(directory / "runtime")
    return _with_image(runtime, RuntimePart(kind="sandbox", directory=str(directory / "runtime")), directory)


def serving_engine(url: str, directory: Path) -> Platform:
    """An engine with the serving image."""
    return _with_image(EngineRuntime(url), RuntimePart(kind="engine", engine_url=url), directory)


def _with_image(runtime: Runtime, part: RuntimePart, directory: Path) -> Platform:
    files = {"/opt/program/serve.py": SERVE.read_bytes()}
    entrypoint = (PYTHON, "/opt/program/serve.py")
    python_archive(directory / "serve.tar", "tests/serve:1", files, entrypoint=entrypoint)
    (image,) = runtime.load_archive(directory / "serve.tar")
    return Platform(runtime=runtime, part=part, digest=image.digest)


def bound_image(platform: Platform, directory: Path) -> ImageReference:
    """The serving image again, with the label that says it listens where it is told to."""
    files = {"/opt/program/serve.py": SERVE.read_bytes()}
    labels = {"com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true"}
    entrypoint = (PYTHON, "/opt/program/serve.py")
    python_archive(directory / "bound.tar", "tests/bound:1", files, entrypoint=entrypoint, labels=labels)
    (image,) = platform.runtime.load_archive(directory / "bound.tar")
    return ImageReference(uri="tests/bound:1", digest=image.digest)


def serving(platform: Platform, program: str, **members: Any) -> ModelContainer:
    """A container of a model, with a program for the server."""
    given = {"image": ImageReference(uri="tests/serve:1", digest=platform.digest), **members}
    environment = {"PROGRAM": textwrap.dedent(program), **given.pop("environment", {})}
    return ModelContainer(environment=environment, **given)


def model_archive(files: dict[str, bytes]) -> bytes:
    """A model.tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A request as the container saw it."""

    number: int
    size: int
    content_type: str | None
    accept: str | None
    at_once: int  # how many were being answered then, this one among them


class TransformInstance:
    """One host of a transform job. `program` is Python for the server: see serve_program.py."""

    def __init__(
        self,
        ground: Ground,
        program: str = "",
        *,
        name: str = "job",
        host: Host | None = None,
        grace: float = 10.0,
        patience: float = 30.0,
        limits: Limits | None = None,
        image: ImageReference | None = None,
        container_environment: dict[str, str] | None = None,
        model_uri: str | None = None,
        **job: Any,
    ) -> None:
        self.ground = ground
        host = host or Host(number=1, count=1)
        self.files = InstanceFiles.of(ground.directory / "jobs", f"transform/{name}", host.number)
        served = ModelContainer(
            image=image or ImageReference(uri="tests/serve:1", digest=ground.platform.digest),
            environment=container_environment or {"PROGRAM": textwrap.dedent(program)},
            model_uri=model_uri,
        )
        fields = {
            "containers": (served,),
            "s3_uri": "s3://bucket/in/",
            "output_uri": "s3://bucket/out",
            "instance_type": "ml.m5.large",
            "instance_count": host.count,
            **job,
        }
        self.assignment = TransformAssignment(
            job=TransformJobSpec(
                name=name,
                arn=f"arn:aws:sagemaker:us-east-1:123456789012:transform-job/{name}",
                role_arn="arn:aws:iam::123456789012:role/r",
                model_name="model",
                **fields,
            ),
            host=host,
            region="us-east-1",
            created_at=1_700_000_000.25,
            limits=limits or Limits(),
            labels=instance_labels(HOME, f"transform/{name}", host.number),
            ping_patience_seconds=patience,
            stop_grace_seconds=grace,
        )
        self.files.write_assignment(self.assignment)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "TransformInstance":
        """Start an agent, as the placement does."""
        part = S3Part(kind="embedded", directory=str(self.ground.directory / "s3"))
        parts = Parts(
            runtime=self.ground.platform.part,
            s3=self.ground.s3_part or part,
            logs_directory=str(self.ground.directory / "logs"),
        )
        command = [sys.executable, "-m", "sagestone.agent", str(self.files.directory)]
        with self.files.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(msgspec.json.encode(parts) + b"\n")
        return self

    def run(self) -> Outcome:
        """Start an agent and wait for the outcome and for the end of the agent."""
        return self.start().outcome()

    def complete(self) -> None:
        """Start an agent, and expect that everything goes well."""
        outcome = self.run()
        assert outcome.ending == "Completed", outcome.failure

    def outputs(self) -> dict[str, bytes]:
        """What there is below the output path, by the rest of the key."""
        keys = self.ground.keys()
        return {key.removeprefix("out/"): self.ground.get(key) for key in keys if key.startswith("out/")}

    def kill(self) -> None:
        """kill -9 of the agent."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        self.files.stop.touch()

    def outcome(self) -> Outcome:
        """Wait for the end of the agent; the outcome it told."""
        assert self.process is not None
        code = self.process.wait(PATIENCE_SECONDS)
        said = self.files.log.read_text(errors="replace")
        events = self.events()
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

    def served(self) -> list[Served]:
        """The requests that the container saw, in the order in which it read them."""
        lines = [line for line in self.log() if line.startswith('{"number"')]
        return [msgspec.convert(json.loads(line), Served) for line in lines]

    def log(self, *, data: bool = False, container: str = "") -> list[str]:
        """The lines of the container's stream, or of the data log (without their times)."""
        reader = LogReader(self.ground.directory / "logs")
        if not reader.groups():
            return []
        streams = [info.name for info in reader.streams(TRANSFORM_GROUP, f"{self.assignment.job.name}/")]
        lines = []
        for stream in streams:
            if stream.endswith("/data-log") == data and (not container or stream.endswith(f"/{container}")):
                page = reader.events(TRANSFORM_GROUP, stream, limit=1_000_000, from_head=True)
                lines += [event.message for event in page.events if not event.message.startswith("[sagestone] algo-")]
        return [line.partition(":[sagemaker logs]: ")[2] for line in lines] if data else lines

    def await_true(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            said = self.files.log.read_text()
            assert time.monotonic() < deadline, f"waited in vain for {what}; the agent said: {said}"
            time.sleep(0.02)

    def left_behind(self) -> list[str]:
        """What is still there of the job beside its documents: containers and data."""
        runtime, trees = self.ground.platform.runtime, [self.files.opt_ml, self.files.scratch]
        containers = [container.name for container in runtime.find(self.assignment.labels)]
        networks = runtime.find_networks(job_labels(HOME, self.assignment.job.key))
        return containers + networks + [str(tree) for tree in trees if tree.exists()]


def told_with_patience(ground: Ground, met: str, program: str = "", **job: Any) -> tuple[str, float]:
    """Why a job fails whose container is never ready, and the seconds it was given: so many that the reason has `met`.

    On a busy machine containers may not even listen within the first of them.
    """
    why, patience = "", 0.0
    for patience in (1.5, 6.0, 30.0):
        instance = TransformInstance(ground, program, name=f"job-{patience:g}", patience=patience, **job)
        outcome = instance.run()
        assert outcome.failure is not None
        assert instance.left_behind() == []
        why = outcome.failure.reason
        if met in why:
            break
    return why, patience
