"""One serving container of a transform instance, known by its labels: made once, watched, stopped."""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from sagestone.agent.console import Console
from sagestone.agent.exit_wait import wait_for_exit
from sagestone.agent.job_volume import tmp_mounts
from sagestone.agent.outside import OutsideWatch
from sagestone.agent.relay import Relay
from sagestone.agent.role import open_relay, role_environment
from sagestone.agent.tools import Tools
from sagestone.containers.labels import HOME, INSTANCE, JOB, POSITION, container_name
from sagestone.containers.runtime import (
    AlreadyStarted,
    Container,
    ContainerSpec,
    Exit,
    Mount,
    RuntimeFailure,
    StartFailed,
    Usage,
    ungivable,
)
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.failure import JobFailure
from sagestone.domain.transform_job import ModelContainer
from sagestone.inference.invoke import PORT
from sagestone.inference.parameters import environment
from sagestone.job_logs.writer import LogWriter

_LOGS_PATIENCE_SECONDS = 20.0  # for the rest of the output after the end
_DISK_SECONDS = 1.0
_MODEL = "/opt/ml/model"
_SAFE_PORTS, _SAFE_FROM = 1000, 10000

#: By this label an image says that it takes its port from SAGEMAKER_BIND_TO_PORT (documented).
ACCEPTS_PORT = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The part of one container on its instance: `position` counts from 1, None where it is the only one."""

    served: ModelContainer
    position: int | None
    subject: str  # how sentences call it: `container`, or `container NAME (2 of 3)`
    hostname: str
    network: str | None
    model: Path
    logs: LogWriter
    place_file: Path


def port_of(position: int | None, labels: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """Where a container listens, and the variables that tell it: of a pipeline, and of an image with the label only."""
    if position is None or labels.get(ACCEPTS_PORT, "").lower() != "true":
        return PORT, {}
    port, safe = PORT + position - 1, _SAFE_FROM + (position - 1) * _SAFE_PORTS
    return port, {
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_SAFE_PORT_RANGE": f"{safe}-{safe + _SAFE_PORTS - 1}",
    }


class ServingContainer:
    """`serve` of one image. Its output goes to its log, its end is noticed at once."""

    def __init__(self, assignment: TransformAssignment, tools: Tools, role: Role, on_end: Callable[[], None]) -> None:
        """`on_end` is called from another thread as soon as it has ended."""
        self._assignment, self._tools, self.role = assignment, tools, role
        self._labels = {**assignment.labels, JOB: assignment.job.key, INSTANCE: str(assignment.host.number)}
        if role.position is not None:
            self._labels[POSITION] = str(role.position)
        self._id: str | None = None
        self._console: Console | None = None
        self._relay: Relay | None = None
        self.port = PORT
        self._on_end = on_end
        self.exit: Exit | None = None
        self.lost: str | None = None  # why the runtime cannot tell its end
        self.too_much: str | None = None  # why it was ended: what it wrote

    def take_up(self) -> None:
        """Start it, or go on with the one that an earlier agent started; raises JobFailure where it does not start."""
        self.port, variables = port_of(
            self.role.position, self._tools.runtime.image(self.role.served.image.digest).labels
        )
        found = self._find()
        self._id = found.id if found is not None else self._create(variables)
        if found is None or not found.started:
            self._start()
        self._relay = open_relay(self._assignment, self._tools, self._id)  # first: it may ask at once
        self._console = Console(
            self._tools.runtime,
            self._id,
            self.role.logs,
            self.role.place_file,
            self._tools.clock,
            keep_bytes=self._tools.log_limit_bytes,
        )
        self._console.start()
        threading.Thread(target=self._await_end, name="container-wait", daemon=True).start()
        threading.Thread(target=self._watch_disk, name="container-disk", daemon=True).start()

    def connect(self, timeout: float) -> socket:
        """A socket to the port it serves on; raises OSError or RuntimeFailure."""
        assert self._id is not None
        return self._tools.runtime.connect(self._id, self.port, timeout)

    @property
    def ended(self) -> bool:
        """Whether it has ended, or nothing can be known of it any more."""
        return self.exit is not None or self.lost is not None

    def usage(self) -> Usage | None:
        """What it uses now; None when it does not run."""
        return None if self._id is None or self.ended else self._tools.runtime.usage(self._id)

    def last_words(self) -> str:
        """After its end, or while it runs: a clause with its last line, for the end of a sentence."""
        if self._console is None:
            return ""
        if self.ended:
            self._console.finish(_LOGS_PATIENCE_SECONDS)
        lines = [line for line in self._console.last_lines() if not line.startswith("[sagestone]")]
        return f". Its last log line: {lines[-1].strip()[:300]}" if lines else ". It has written nothing to its log"

    def stop(self, grace_seconds: float) -> Exit | None:
        """SIGTERM, and SIGKILL after the grace time; None when there is no container."""
        found = self._find()
        if found is None or not found.started:
            return None
        return self._tools.runtime.stop(found.id, grace_seconds)

    def remove(self, grace_seconds: float) -> None:
        """End it, keep the rest of its output, and take it away; idempotent."""
        found = self._find()
        if self._relay is not None:
            self._relay.close()
        if found is not None:
            if found.running:
                self._tools.runtime.stop(found.id, grace_seconds)
            if self._console is not None:
                self._console.finish(_LOGS_PATIENCE_SECONDS)
            self._tools.runtime.remove(found.id)

    def _create(self, variables: Mapping[str, str]) -> str:
        assignment, role, job = self._assignment, self.role, self._assignment.job
        limits, model = assignment.limits, Mount(source=role.model, target=_MODEL, read_only=True)
        spec = ContainerSpec(
            name=container_name(assignment.labels.get(HOME, "local"), job.key, assignment.host.number, role.position),
            image=role.served.image.digest,
            command=("serve",),
            hostname=role.hostname,
            environment={
                **role_environment(assignment, self._tools),
                **role.served.environment,
                **environment(job),
                **variables,
                **job.environment,
            },
            mounts=(
                *(() if role.served.model_uri is None else (model,)),
                *tmp_mounts(self._tools.files, role.position),
            ),
            labels=self._labels,
            network=role.network,
            cpus=limits.cpus,
            memory_bytes=limits.memory_bytes,
            shared_memory_bytes=limits.shared_memory_bytes,
            gpus=limits.gpu_uuids,
        )
        if (why := ungivable(spec)) is not None:
            raise JobFailure("client", why)
        return self._tools.runtime.create(spec)

    def _start(self) -> None:
        assert self._id is not None
        try:
            self._tools.runtime.start(self._id)
        except StartFailed as error:
            whose = "" if self.role.position is None else f" of {self.role.subject}"
            text = (
                f"The image {self.role.served.image.uri}{whose} could not be started with the argument serve: "
                f"{str(error).strip()}. It needs an ENTRYPOINT that takes the argument, or a program named serve on "
                "its PATH"
            )
            self.role.logs.write(self._tools.clock(), f"[sagestone] {' '.join(text.split())}")
            raise JobFailure("algorithm", text) from error
        except AlreadyStarted:
            sys.stderr.write("an earlier agent died while it started the container\n")

    def _await_end(self) -> None:
        assert self._id is not None
        subject = self.role.subject
        named = f"The {subject} of {self._assignment.host.name}"
        try:
            self.exit = wait_for_exit(self._tools.runtime, self._id, subject=subject, named=named)
        except JobFailure as failure:
            self.lost = failure.failure.message
        self._on_end()

    def _watch_disk(self) -> None:
        """Kill it when it has written more than it may."""
        assert self._id is not None
        watch = OutsideWatch(self._tools.runtime, self._id, self._assignment.limits.outside_bytes)
        while not self.ended:
            time.sleep(_DISK_SECONDS)
            self.too_much = watch.complaint()
            if self.too_much is not None:
                with suppress(RuntimeFailure, OSError):  # it has ended meanwhile, or the engine has
                    self._tools.runtime.stop(self._id, 0)
                return

    def _find(self) -> Container | None:
        found = self._tools.runtime.find(self._labels)
        return found[0] if found else None
