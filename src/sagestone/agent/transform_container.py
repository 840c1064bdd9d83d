"""The one serving container of a transform instance, known by its labels: made once, watched, stopped."""

import threading
import time
from collections.abc import Callable
from socket import socket

from sagestone.agent.console import Console
from sagestone.agent.tools import Tools
from sagestone.agent.transform_model import model_directory
from sagestone.containers.labels import HOME, INSTANCE, JOB, container_name
from sagestone.containers.runtime import Container, ContainerSpec, Exit, Mount, RuntimeFailure, StartFailed
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.failure import JobFailure
from sagestone.inference.invoke import PORT, ContainerEnded
from sagestone.inference.parameters import environment
from sagestone.inference.ready import wait_until_ready
from sagestone.inference.spool import Spool

_LOGS_PATIENCE_SECONDS = 20.0  # for the rest of the output after the end
_ENGINE_PATIENCE_SECONDS = 60.0  # an engine that is being restarted comes back
_MODEL = "/opt/ml/model"


class ServingContainer:
    """`serve` of the model's image. Its output goes to the log, its end is noticed at once."""

    def __init__(self, assignment: TransformAssignment, tools: Tools) -> None:
        self._assignment, self._tools = assignment, tools
        self._labels = {**assignment.labels, JOB: assignment.job.key, INSTANCE: str(assignment.host.number)}
        self._id: str | None = None
        self._console: Console | None = None
        self._ended = threading.Event()
        self._exit: Exit | None = None
        self._lost: str | None = None
        self._on_end: Callable[[], None] = lambda: None

    def take_up(self) -> None:
        """Start it, or go on with the one that an earlier agent started; raises JobFailure where it does not start."""
        found = self._find()
        self._id = found.id if found is not None else self._create()
        if found is None or not found.started:
            self._start()
        self._console = Console(
            self._tools.runtime,
            self._id,
            self._tools.logs,
            self._tools.files.scratch / "output-place.json",
            self._tools.clock,
            keep_bytes=self._tools.log_limit_bytes,
        )
        self._console.start()
        threading.Thread(target=self._await_end, name="container-wait", daemon=True).start()

    def wait_until_ready(self) -> None:
        """Return when `/ping` answers 200; raises NotReady, ContainerEnded or StopAsked."""

        def pause(seconds: float) -> None:
            deadline = time.monotonic() + seconds
            while True:
                self._tools.stop.check()
                exit_ = self.wait_exit(max(0.0, min(0.1, deadline - time.monotonic())))
                if exit_ is not None:
                    raise ContainerEnded(exit_)
                if time.monotonic() >= deadline:
                    return

        scratch = self._tools.files.scratch
        patience = self._assignment.ping_patience_seconds
        wait_until_ready(self.connect, patience_seconds=patience, pause=pause, new_spool=lambda: Spool(scratch, 65536))

    def connect(self, timeout: float) -> socket:
        """A socket to the port it serves on; raises OSError or RuntimeFailure."""
        assert self._id is not None
        return self._tools.runtime.connect(self._id, PORT, timeout)

    def wait_exit(self, seconds: float) -> Exit | None:
        """How it ended, waiting that long for it; raises JobFailure when the runtime no longer knows it."""
        self._ended.wait(seconds)
        if self._lost is not None:
            raise JobFailure("internal", self._lost)
        return self._exit

    def when_ended(self, call: Callable[[], None]) -> None:
        """Have that called, from another thread, as soon as it ends (at once when it has)."""
        self._on_end = call
        if self._ended.is_set():
            call()

    def last_words(self) -> str:
        """After its end, or while it runs: a clause with its last line, for the end of a sentence."""
        if self._console is None:
            return ""
        if self._ended.is_set():
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
        if found is not None:
            if found.running:
                self._tools.runtime.stop(found.id, grace_seconds)
            if self._console is not None:
                self._console.finish(_LOGS_PATIENCE_SECONDS)
            self._tools.runtime.remove(found.id)

    def _create(self) -> str:
        assignment, job, limits = self._assignment, self._assignment.job, self._assignment.limits
        served = job.containers[0]
        model = Mount(source=model_directory(self._tools), target=_MODEL, read_only=True)
        spec = ContainerSpec(
            name=container_name(assignment.labels.get(HOME, "local"), job.key, assignment.host.number),
            image=served.image.digest,
            command=("serve",),
            hostname=assignment.host.name,
            environment={**served.environment, **environment(job), **job.environment},
            mounts=() if served.model_uri is None else (model,),
            labels=self._labels,
            network=assignment.network,
            cpus=limits.cpus,
            memory_bytes=limits.memory_bytes,
            shared_memory_bytes=limits.shared_memory_bytes,
            gpus=limits.gpus,
        )
        return self._tools.runtime.create(spec)

    def _start(self) -> None:
        assert self._id is not None
        try:
            self._tools.runtime.start(self._id)
        except StartFailed as error:
            image = self._assignment.job.containers[0].image
            text = (
                f"The image {image.uri} could not be started with the argument serve: "
                f"{str(error).strip()}. It needs an ENTRYPOINT that takes the argument, or a program named serve on "
                "its PATH"
            )
            self._tools.logs.write(self._tools.clock(), f"[sagestone] {' '.join(text.split())}")
            raise JobFailure("algorithm", text) from error

    def _await_end(self) -> None:
        assert self._id is not None
        deadline: float | None = None
        while True:
            try:
                self._exit = self._tools.runtime.wait(self._id)
                if self._exit is not None:
                    break
            except (RuntimeFailure, OSError) as error:
                deadline = deadline or time.monotonic() + _ENGINE_PATIENCE_SECONDS
                if time.monotonic() > deadline:
                    self._lost = f"The container of {self._assignment.host.name} cannot be waited for: {error}"
                    break
                time.sleep(0.5)
        self._ended.set()
        self._on_end()

    def _find(self) -> Container | None:
        found = self._tools.runtime.find(self._labels)
        return found[0] if found else None
