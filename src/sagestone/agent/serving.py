"""The serving containers of a transform instance: one, or the several of a serial inference pipeline."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sagestone.agent.serving_container import Role, ServingContainer
from sagestone.agent.serving_roles import roles
from sagestone.agent.tools import Tools
from sagestone.containers.labels import HOME, instance_network_name, job_labels
from sagestone.containers.runtime import Exit, NameTaken, Usage
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.failure import JobFailure
from sagestone.inference.invoke import ContainerEnded
from sagestone.inference.ready import NotReady, wait_until_ready
from sagestone.inference.spool import Spool


class Serving:
    """Started together, ready when each of them is, over when one of them ends."""

    def __init__(self, assignment: TransformAssignment, tools: Tools) -> None:
        self._assignment, self._tools = assignment, tools
        self._someone_ended = threading.Event()
        self._when_ended: Callable[[], None] = lambda: None
        home, job, number = assignment.labels.get(HOME, "local"), assignment.job.key, assignment.host.number
        self._network = instance_network_name(home, job, number) if len(assignment.job.containers) > 1 else None
        self.roles: tuple[Role, ...] = roles(assignment, tools, self._network)
        self.containers = tuple(ServingContainer(assignment, tools, role, self._notice_end) for role in self.roles)

    def take_up(self) -> None:
        """Start them, or go on with those that an earlier agent started; raises JobFailure where one does not start."""
        if self._network is not None:
            home = self._assignment.labels.get(HOME, "local")
            try:
                self._tools.runtime.create_network(self._network, job_labels(home, self._assignment.job.key))
            except NameTaken:  # an earlier agent's
                pass
        for container in self.containers:
            self._tools.stop.check()
            container.take_up()

    def wait_until_ready(self) -> None:
        """Return when `/ping` of each answers 200; raises NotReady, ContainerEnded or StopAsked."""
        spools = self._tools.files.spools
        patience = self._assignment.ping_patience_seconds
        deadline = time.monotonic() + patience
        for container in self.containers:
            try:
                wait_until_ready(
                    container.connect,
                    port=container.port,
                    deadline=deadline,
                    pause=self._pause,
                    new_spool=lambda: Spool(spools, 65536),
                )
            except NotReady as error:
                whose = "" if container.role.position is None else f"{container.role.subject} is "
                raise NotReady(
                    f"{whose}not ready within {patience:g} seconds: {error}{container.last_words()}"
                ) from error

    def wait_exit(self, seconds: float) -> Exit | None:
        """Wait so long for the end of one of them: raises ContainerEnded with it, and JobFailure when it is unknown.

        JobFailure (client) too where it was ended for what it wrote.
        """
        self._someone_ended.wait(seconds)
        for container in self.containers:
            if container.ended and container.too_much is not None:
                raise JobFailure("client", container.too_much)
            if container.lost is not None:
                raise JobFailure("internal", container.lost)
            if container.exit is not None:
                raise ContainerEnded(container.exit, subject=container.role.subject)
        return None

    def usage(self) -> Usage | None:
        """What they use together; None when one of them does not run."""
        memory_bytes, cpu_seconds = 0, 0.0
        for container in self.containers:
            used = container.usage()
            if used is None:
                return None
            memory_bytes += used.memory_bytes
            cpu_seconds += used.cpu_seconds
        return Usage(memory_bytes=memory_bytes, cpu_seconds=cpu_seconds)

    def when_ended(self, call: Callable[[], None]) -> None:
        """Have that called, from another thread, as soon as one of them ends (at once when one has)."""
        self._when_ended = call
        if self._someone_ended.is_set():
            call()

    def last_words(self) -> str:
        """A clause with the last log line of the one that has ended, else of the first."""
        said = [container for container in self.containers if container.ended] or [self.containers[0]]
        return said[0].last_words()

    def stop(self, grace_seconds: float) -> Exit | None:
        """Stop them all at once; how the first one ended, None when there was none."""
        with ThreadPoolExecutor(len(self.containers)) as pool:
            exits = list(pool.map(lambda container: container.stop(grace_seconds), self.containers))
        return next((exit_ for exit_ in exits if exit_ is not None), None)

    def remove(self, grace_seconds: float) -> None:
        """End them, keep the rest of their output, and take them and their network away; idempotent."""
        with ThreadPoolExecutor(len(self.containers)) as pool:
            list(pool.map(lambda container: container.remove(grace_seconds), self.containers))
        if self._network is not None:
            self._tools.runtime.remove_network(self._network)
        for role in self.roles:
            if role.position is not None:
                role.logs.close()

    def _notice_end(self) -> None:
        self._someone_ended.set()
        self._when_ended()

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self._tools.stop.check()
            self.wait_exit(max(0.0, min(0.1, deadline - time.monotonic())))
            if time.monotonic() >= deadline:
                return
