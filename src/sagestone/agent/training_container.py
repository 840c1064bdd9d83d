"""The Training stage: one container, started once, followed to its end, by however many agents it takes."""

import math
import sys
import time
from dataclasses import replace
from functools import partial

from sagestone.agent.console import Console
from sagestone.agent.disk_watch import DiskWatch
from sagestone.agent.exit_wait import Waiter, wait_for_exit
from sagestone.agent.file_systems import file_system_mounts
from sagestone.agent.gpu_watch import GpuWatch
from sagestone.agent.host_watch import HostWatch
from sagestone.agent.interruption import Interruption
from sagestone.agent.job_volume import tmp_mounts
from sagestone.agent.opt_ml import CACHE, OptMl, environment
from sagestone.agent.outside import OutsideWatch
from sagestone.agent.own_end import OwnEnd
from sagestone.agent.role import open_relay, role_environment
from sagestone.agent.tools import Tools
from sagestone.agent.verdict import Ended, judge, not_started, out_of_volume, read_failure_file
from sagestone.agent.volume import VolumeWatch
from sagestone.channels.live import LiveParts
from sagestone.containers.labels import HOME, INSTANCE, JOB, container_name
from sagestone.containers.runtime import (
    AlreadyStarted,
    Container,
    ContainerSpec,
    Exit,
    Mount,
    StartFailed,
    ungivable,
)
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.event import Outcome
from sagestone.domain.failure import Failure, JobFailure
from sagestone.domain.metric_scraper import MetricScraper

_LOOK_SECONDS = 0.05
_LOGS_PATIENCE_SECONDS = 60.0  # for the rest of the output after the end
_FAILED_GRACE_SECONDS = 5.0


class TrainingContainer:
    """The one container of a training instance, known by its labels."""

    def __init__(self, assignment: TrainingAssignment, tools: Tools, opt_ml: OptMl, live: LiveParts) -> None:
        self._assignment, self._tools, self._opt_ml, self._live = assignment, tools, opt_ml, live
        self._labels = {
            **assignment.labels,
            JOB: assignment.job.key,
            INSTANCE: str(assignment.host.number),
        }
        self._own_end = OwnEnd(tools.files.scratch / "own-end.json")
        self._disk = DiskWatch(tools.files.directory)  # of the machine: a volume of its own may be smaller

    def run(self, interruption: Interruption) -> Outcome:
        """Make it, start it and follow it to its end. An interruption's outcome counts, whatever the exit code."""
        container = self._create()
        self._tools.reporter.stage("Training", "Training image download completed. Training in progress.")
        interruption.check()
        with self._disk:
            return self._start(container, interruption)

    def resume(self, interruption: Interruption) -> Outcome:
        """Follow the container that an earlier agent left; raises JobFailure when it is gone."""
        found = self._find()
        if found is None:
            raise JobFailure(
                "internal",
                f"The container of {self._assignment.host.name} is gone: its training had begun, but the runtime "
                f"({self._tools.runtime.name}) no longer knows it, so how it ended cannot be told",
            )
        self._live.resume()
        with self._disk:
            if not found.started:  # made, but the agent died before it could start it
                return self._start(found.id, interruption)
            return self._follow(found.id, interruption)

    def remove(self) -> None:
        """Take away whatever is left of it; idempotent."""
        found = self._find()
        if found is not None:
            self._tools.runtime.remove(found.id)

    def _create(self) -> str:
        assignment, limits = self._assignment, self._assignment.limits
        self.remove()  # of an agent that died before training began: it has never run
        spec = ContainerSpec(
            name=container_name(assignment.labels.get(HOME, "local"), assignment.job.key, assignment.host.number),
            image=assignment.job.image.digest,
            command=assignment.job.command,
            entrypoint=assignment.job.entrypoint,
            hostname=assignment.host.name,
            environment={**role_environment(assignment, self._tools), **environment(assignment)},
            mounts=(
                *self._opt_ml.mounts(assignment.job.checkpoint, assignment.job.tensorboard),
                *self._live.mounts(),
                *file_system_mounts(assignment.job.file_systems, self._tools.file_systems),
                *self._cache_mounts(),
                *tmp_mounts(self._tools.files),
            ),
            labels=self._labels,
            network=assignment.network,
            outward=not assignment.job.isolated,
            cpus=limits.cpus,
            memory_bytes=limits.memory_bytes,
            shared_memory_bytes=limits.shared_memory_bytes,
            gpus=limits.gpu_uuids,
        )
        if (why := ungivable(spec)) is not None:
            raise JobFailure("client", why)
        if spec.network is not None and spec.outward and self._tools.runtime.name == "sandbox":
            self._tools.say(
                "hosts of one job reach only each other here: the sandbox has no way out for several of them"
            )
        return self._tools.runtime.create(spec)

    def _cache_mounts(self) -> tuple[Mount, ...]:
        """The directory that goes from one job of a warm pool to the next; any user of an image may write it."""
        if not self._assignment.job.keep_alive_seconds:
            return ()
        cache = self._tools.files.cache
        cache.mkdir(parents=True, exist_ok=True)
        cache.chmod(0o777)
        return (Mount(source=cache, target=CACHE),)

    def _start(self, container: str, interruption: Interruption) -> Outcome:
        broken = self._live.failure()
        if broken is not None:
            return Outcome(ending="Failed", failure=broken)
        try:
            self._tools.runtime.start(container)
        except StartFailed as error:
            outcome = not_started(self._assignment, str(error))
            if outcome.failure is not None:
                self._tools.say(outcome.failure.message)
            return outcome
        except AlreadyStarted:
            sys.stderr.write("an earlier agent died while it started the container\n")
        return self._follow(container, interruption)

    def _follow(self, container: str, interruption: Interruption) -> Outcome:
        assignment, tools = self._assignment, self._tools
        scraper = MetricScraper(assignment.job.metric_definitions) if assignment.job.metric_definitions else None
        console = Console(
            tools.runtime,
            container,
            tools.logs,
            tools.files.scratch / "output-place.json",
            tools.clock,
            keep_bytes=tools.log_limit_bytes,
            find=scraper.find if scraper is not None else None,
            pen=tools.reporter,
        )
        relay = open_relay(assignment, tools, container)  # first: the program may ask at once
        console.start()
        watched = [self._opt_ml.root, tools.files.tmp] if tools.files.on_volume else [self._opt_ml.root]
        volume = VolumeWatch(watched, assignment.limits.volume_bytes)
        gpus = GpuWatch(assignment.limits.gpu_uuids, tools.clock)
        try:
            exit_, interrupted = self._until_end(container, interruption, volume, gpus)
            self._disk.look()  # before it is waited for room for the log
        finally:
            gpus.close()
            if relay is not None:
                relay.close()
        console.finish(_LOGS_PATIENCE_SECONDS)
        for metric in scraper.given_up if scraper is not None else ():
            self._tools.say(f"the expression of metric {metric!r} takes too long on these lines and was given up")
        if interrupted is not None:
            return replace(interrupted, exit_code=exit_.code)
        ended = Ended(
            exit=exit_,
            failure_text=read_failure_file(self._opt_ml.failure),
            last_lines=console.last_lines(),
            volume_used=volume.measure(),
            disk_full=self._disk.was_full,
        )
        return judge(assignment, ended)

    def _until_end(
        self, container: str, interruption: Interruption, volume: VolumeWatch, gpus: GpuWatch
    ) -> tuple[Exit, Outcome | None]:
        """Wait for the end, or bring it about; there is an outcome unless the container's own end is to be judged.

        It is brought about by an interruption, by a channel that fails beside the container, and by a full volume, or
        too much that was written outside it.
        """
        tools = self._tools
        limits = self._assignment.limits
        usage = partial(tools.runtime.usage, container)
        watch = HostWatch(usage, limits.memory_bytes, volume, gpus, tools.clock, tools.reporter.host_metrics)
        outside = OutsideWatch(tools.runtime, container, limits.outside_bytes)
        noted = self._own_end.noted
        if noted is not None:
            return self._end(container, noted)
        waiter = Waiter(lambda: self._wait(container))
        while not waiter.ended.wait(_LOOK_SECONDS):
            watch.look()
            outcome = interruption.outcome()
            if outcome is not None:
                return self._end(container, outcome)
            failure = self._live.failure() or self._overrun(volume, outside)
            if failure is not None:
                return self._end(container, Outcome(ending="Failed", failure=failure), _FAILED_GRACE_SECONDS)
        exit_ = waiter.result()
        while not self._live.settled() and exit_.code == 0:
            outcome = interruption.outcome()
            if outcome is not None:
                return exit_, outcome
            time.sleep(_LOOK_SECONDS)
        failure = self._live.failure()  # it ended for want of data, whatever it says itself
        return exit_, None if failure is None else Outcome(ending="Failed", failure=failure)

    def _end(self, container: str, outcome: Outcome, grace_seconds: float = math.inf) -> tuple[Exit, Outcome]:
        """Bring its end about, for that reason."""
        self._own_end.note(outcome)
        grace_seconds = min(grace_seconds, self._assignment.stop_grace_seconds)
        return self._tools.runtime.stop(container, grace_seconds), outcome

    def _overrun(self, volume: VolumeWatch, outside: OutsideWatch) -> Failure | None:
        used = volume.overrun()
        complaint = outside.complaint() if used is None else out_of_volume(self._assignment, used)
        return None if complaint is None else Failure(fault="client", message=complaint)

    def _wait(self, container: str) -> Exit:
        return wait_for_exit(self._tools.runtime, container, subject="container", named="the container")

    def _find(self) -> Container | None:
        found = self._tools.runtime.find(self._labels)
        return found[0] if found else None
