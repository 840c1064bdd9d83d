"""Why a training container ended as it did: from its exit, its failure file and its last lines to an Outcome."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sagestone.agent.volume import UNMEASURED
from sagestone.archive.room import is_full
from sagestone.channels.room import gibibytes
from sagestone.containers.runtime import Exit
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.container_end import KILLED
from sagestone.domain.event import Outcome
from sagestone.domain.failure import LONGEST_REASON, PREFIX, Failure, Fault

_FAILURE_FILE_CHARACTERS = 1024
_LOG_LINES = 4
_LOG_CHARACTERS = 600
_KILLED_SENTENCE = "Something killed the program (SIGKILL), but not this service, and not for its memory"
_DISK_FULL = "The disk of this machine, which holds /opt/ml, was full while it ran"
_OUT_OF_MEMORY = (
    "Please use an instance type with more memory, or reduce the size of job data processed on an instance."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is known of a container that ended by itself."""

    exit: Exit
    failure_text: str | None  # of /opt/ml/output/failure
    last_lines: Sequence[str]
    volume_used: int = 0  # bytes below /opt/ml
    disk_full: bool = False  # the machine's own, at some time while it ran


def agent_failed(host: str, error: Exception, directory: Path) -> Failure:
    """The failure for an error that no part of the agent knows how to tell; `directory` is where it works."""
    what = f"{type(error).__name__}: {error}"
    if is_full(error):
        what = f"the disk that holds {directory} is full. Free space there and ask for the job anew"
    return Failure(fault="internal", message=f"The agent of {host} failed: {what}")


def judge(assignment: TrainingAssignment, ended: Ended) -> Outcome:
    """Exit code 0 is Completed, whatever the failure file says; anything else Failed.

    The message has the failure file's text, or the last useful log lines where there is none, then the exit code. Where
    memory or volume ran out it is the client who can help, and the message says how much there was.
    """
    limits, code = assignment.limits, ended.exit.code
    ending = f", exit code: {code}{_where(assignment)}"
    if limits.volume_bytes is not None and ended.volume_used > limits.volume_bytes:
        return _failed("client", out_of_volume(assignment, ended.volume_used), f"{ending}{_log_tail(ended)}", code)
    if code == 0:
        return Outcome(ending="Completed", exit_code=0)
    if ended.exit.out_of_memory:
        limit = "" if limits.memory_bytes is None else f" of {gibibytes(limits.memory_bytes)}"
        text = f"{_OUT_OF_MEMORY} The container went beyond its memory{limit} ({assignment.group.instance_type})"
        return _failed("client", text, f"{ending}{_log_tail(ended)}", code)
    if ended.disk_full:
        ending += f". {_DISK_FULL}"
    text = ended.failure_text or "\n".join(last_useful_lines(ended.last_lines))
    if code == KILLED:
        ending += f". {_KILLED_SENTENCE}"
    return _failed("algorithm", text, ending, code)


def out_of_volume(assignment: TrainingAssignment, used: int) -> str:
    """The sentence for a job that filled its volume."""
    if used >= UNMEASURED:
        return (
            "Insufficient disk space: what is in /opt/ml cannot be measured, since directories are nested 600 deep or "
            "their owner may not read them"
        )
    return (
        f"Insufficient disk space: {gibibytes(used)} are in /opt/ml, "
        f"the volume holds {gibibytes(assignment.limits.volume_bytes or 0)}. "
        "Ask for a larger VolumeSizeInGB, or write less"
    )


def taken_along(runtime: str, subject: str) -> str:
    """The sentence for a container that did not end by itself: Docker kills them when it is started anew."""
    if runtime == "sandbox":
        return f"The {subject} was killed with the process that watches it, or it went down with this machine"
    if runtime == "podman":
        return f"The {subject} went down with this machine, or was killed while the container engine (podman) was away"
    return (
        f"The {subject} was killed when the container engine ({runtime}) was started anew, or went down with this "
        "machine. An engine that has live-restore among its settings lets containers go on"
    )


def not_started(assignment: TrainingAssignment, cause: str) -> Outcome:
    """The container never ran: mostly an image that has no `train`."""
    job = assignment.job
    how, need = "", f"Look at ContainerEntrypoint: {list(job.entrypoint or ())}"
    if job.command:
        how = f" with the argument{'s' if len(job.command) > 1 else ''} {' '.join(job.command)}"
    if job.entrypoint is None:
        need = f"It needs an ENTRYPOINT that takes the argument, or a program named {job.command[0]} on its PATH"
    text = f"The image {job.image.uri} could not be started{how}: {cause.strip()}. {need}"
    return _failed("algorithm", text, _where(assignment), None)


def read_failure_file(path: Path) -> str | None:
    """The first 1024 characters of the failure file; None where it is not an ordinary file with text in it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # not there, a link, a socket, or not for us to read: it tells nothing
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        content = os.read(file, 4 * _FAILURE_FILE_CHARACTERS)
    finally:
        os.close(file)
    text = content.decode(errors="replace").replace("\0", "").strip()
    return text[:_FAILURE_FILE_CHARACTERS] or None


def last_useful_lines(lines: Sequence[str]) -> list[str]:
    """The last lines that say why a program ended: after a Python traceback the exception, else the last four."""
    useful = [line.rstrip() for line in lines if line.strip() and not line.startswith("[sagestone]")]
    for index in range(len(useful) - 1, -1, -1):
        if useful[index].startswith("Traceback (most recent call last)"):
            frames = index + 1
            while frames < len(useful) and useful[frames].startswith((" ", "#011")):
                frames += 1
            useful = useful[frames:] or useful[index:]
            break
    kept: list[str] = []
    room = _LOG_CHARACTERS
    for line in reversed(useful[-_LOG_LINES:]):
        if kept and room < len(line):
            break
        kept.insert(0, line[:_LOG_CHARACTERS])
        room -= len(line)
    return kept


def _log_tail(ended: Ended) -> str:
    lines = last_useful_lines(ended.last_lines)
    return f". Last log line: {lines[-1]}" if lines else ""


def _where(assignment: TrainingAssignment) -> str:
    return f" ({assignment.host.name})" if assignment.host.count > 1 else ""


def _failed(fault: Fault, text: str, ending: str, code: int | None) -> Outcome:
    """Failed with `text` cut so that the ending (exit code, host) is always seen within the longest FailureReason."""
    room = LONGEST_REASON - len(PREFIX[fault]) - 2
    ending = ending[: room // 2]
    return Outcome(
        ending="Failed", exit_code=code, failure=Failure(fault=fault, message=text[: room - len(ending)] + ending)
    )
