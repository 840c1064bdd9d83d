"""The agent process: `python -m sagestone.agent INSTANCE_DIR`, with its Parts as one line of JSON on standard input.

With `--nursery` it makes itself ready and forks agents for whoever asks (`agent.nursery`).

It holds `agent.lock` as long as it lives; when another agent of the instance holds it, it ends at once with 0. What it
has to say to people goes to standard error, which its starter has joined to `agent.log`.

Exit codes: 0 the outcome was told (or another agent is at work), 2 wrong use, 1 anything else: start it again.
"""

import fcntl
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from sagestone.agent.build import build_runtime, build_s3, build_vault
from sagestone.agent.files import InstanceFiles
from sagestone.agent.job_volume import JobVolume, job_volume
from sagestone.agent.nursery import NURSERY, tend
from sagestone.agent.parts import Parts
from sagestone.agent.rendezvous import Rendezvous
from sagestone.agent.reporter import Reporter
from sagestone.agent.run_clock import steady_seconds
from sagestone.agent.stop import StopSignal
from sagestone.agent.tools import Tools
from sagestone.agent.verdict import agent_failed
from sagestone.archive.room import when_there_is_room
from sagestone.channels.room import gibibytes
from sagestone.containers.runtime import Runtime, RuntimeFailure
from sagestone.domain.assignment import Assignment, TrainingAssignment
from sagestone.domain.event import Outcome
from sagestone.domain.failure import JobFailure
from sagestone.domain.transform_job import instance_id
from sagestone.job_logs.names import TRAINING_GROUP, TRANSFORM_GROUP, training_stream, transform_stream
from sagestone.job_logs.writer import LogWriter

if TYPE_CHECKING:
    from sagestone.kms.vault import Vault

_LOCK_PATIENCE_SECONDS = 0.5  # others look at the lock for a moment to learn whether we live
_RUNTIME_PATIENCE_SECONDS = 60.0  # an engine that is being restarted comes back


def main() -> None:
    """Carry out the assignment and end the process, whatever threads may still be copying."""
    if len(sys.argv) > 2 and sys.argv[1] == NURSERY:
        _import_all()
        tend(int(sys.argv[2]), run_agent)
        return
    if len(sys.argv) != 2:
        sys.stderr.write("use: python -m sagestone.agent INSTANCE_DIR < parts.json\n")
        sys.exit(2)
    code = 1
    try:
        code = run_agent(Path(sys.argv[1]), sys.stdin.buffer)
    except Exception:  # noqa: BLE001 the last stand: said in agent.log, and the placement starts another
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _import_all() -> None:
    """Whatever an agent may come to need, so that none has to load it again."""
    import sagestone.agent.training
    import sagestone.agent.transform
    import sagestone.containers.engine.runtime
    import sagestone.containers.sandbox.runtime
    import sagestone.s3.embedded  # noqa: F401


def run_agent(directory: Path, handed_over: BinaryIO) -> int:
    """Take the lock, build the parts, and do the work; the exit code."""
    os.umask(0o022)  # containers of any user read what is put below /opt/ml
    files = InstanceFiles(directory.absolute())
    parts = msgspec.json.decode(handed_over.readline(), type=Parts)
    handed_over.close()
    lock = when_there_is_room(lambda: _take_lock(files.lock))
    if lock is None:
        return 0
    when_there_is_room(lambda: files.pid.write_text(str(os.getpid())))
    assignment = files.read_assignment()
    reporter = when_there_is_room(lambda: Reporter(files, assignment.job.key, assignment.host.number, time.time))
    fresh = reporter.last_stage is None
    if fresh:
        kind = "training" if isinstance(assignment, TrainingAssignment) else "transform"
        reporter.stage("Starting", f"Starting the {kind} job")
    try:
        runtime = _reach_runtime(lambda: build_runtime(parts.runtime))
        volume = job_volume(assignment, lambda: _vault(parts), runtime.mount_namespace)
        if volume is not None:
            files = _on_volume(files, volume, assignment, reporter)
        tools = Tools(
            files=files,
            runtime=runtime,
            s3=build_s3(parts.s3, open_uploads=files.scratch / "uploads"),
            s3_part=parts.s3,
            reporter=reporter,
            logs=when_there_is_room(lambda: _open_log(Path(parts.logs_directory), assignment)),
            stop=StopSignal(files.stop, steady_seconds),
            clock=time.time,
            service=parts.service,
            file_systems=parts.file_systems,
            volume=volume,
            log_limit_bytes=parts.log_limit_bytes,
        )
        if fresh:
            tools.say(
                f"{assignment.host.name} runs on {tools.runtime.name}: {_size(assignment)}"
                f"{'; for code you trust' if tools.runtime.name == 'sandbox' else ''}",
            )
        else:  # beside the work: an endpoint may be away
            threading.Thread(target=tools.s3.clear, name="uploads", daemon=True).start()
        _carry_out(assignment, tools)
    except JobFailure as error:
        reporter.ended(Outcome(ending="Failed", failure=error.failure))
    except Exception as error:  # noqa: BLE001 our own bug must not leave the job without an end
        traceback.print_exc()
        reporter.ended(Outcome(ending="Failed", failure=agent_failed(assignment.host.name, error, files.directory)))
    return 0


def _carry_out(assignment: Assignment, tools: Tools) -> None:
    try:
        if isinstance(assignment, TrainingAssignment):
            from sagestone.agent.training import run_training

            run_training(assignment, tools)
        else:
            from sagestone.agent.transform import run_transform

            run_transform(assignment, tools)
    finally:
        tools.logs.close()


def _on_volume(files: InstanceFiles, volume: JobVolume, assignment: Assignment, reporter: Reporter) -> InstanceFiles:
    """The instance's files on its volume, which is opened unless there is nothing left to do; raises JobFailure."""
    if reporter.outcome is not None:
        return files.moved()
    try:
        return volume.open(files)
    except JobFailure as error:
        if isinstance(assignment, TrainingAssignment):  # the other hosts are not to wait for this one
            Rendezvous(files, assignment.host).leave(Outcome(ending="Failed", failure=error.failure))
        raise


def _vault(parts: Parts) -> "Vault":
    if parts.volume_keys is None:
        raise JobFailure("internal", "the service handed over no keys, though the job's volume is to be encrypted")
    return build_vault(parts.volume_keys)


def _open_log(logs: Path, assignment: Assignment) -> LogWriter:
    name, number, created_at = assignment.job.name, assignment.host.number, assignment.created_at
    if isinstance(assignment, TrainingAssignment):
        return LogWriter(logs, TRAINING_GROUP, training_stream(name, number, created_at))
    identity = instance_id(assignment.job.arn, number, created_at)
    return LogWriter(logs, TRANSFORM_GROUP, transform_stream(name, identity, created_at))


def _size(assignment: Assignment) -> str:
    """What the container may use, for the first line of its log."""
    limits = assignment.limits
    cpus = "all cpus" if limits.cpus is None else f"{limits.cpus:g} cpus"
    memory = "no limit of memory" if limits.memory_bytes is None else f"{gibibytes(limits.memory_bytes)} of memory"
    return f"{cpus}, {memory}"


def _reach_runtime(build: Callable[[], Runtime]) -> Runtime:
    deadline = time.monotonic() + _RUNTIME_PATIENCE_SECONDS
    while True:
        try:
            return build()
        except RuntimeFailure as error:
            if time.monotonic() > deadline:
                raise JobFailure("internal", f"the container runtime does not answer: {error}") from error
            time.sleep(0.5)


def _take_lock(path: Path) -> int | None:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                return None
            time.sleep(0.05)
