"""What is known of each sandbox, as files, so that any process finds it and it survives them all.

A container's directory is named after it and holds: `spec.json` (how it was asked for), `shim` (process, its start time
and the machine's boot), `child` (the same of the program), `exit.json` (how it ended, written last; `exit.json.room`
has the room for it), `control` (a socket while it runs), `stdout.…` and `stderr.…` (see `output`), `root` `upper`
`work` `changes` (its file system), `etc` (its host files).
"""

import fcntl
import json
import math
import os
import select
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sagestone.containers.runtime import ContainerSpec, Exit, Mount, RuntimeFailure
from sagestone.containers.sandbox.shim import CHILD, EXIT, SHIM, boot_id, start_time
from sagestone.domain.container_end import KILLED

SPEC = "spec.json"
#: The code of a container that ended without a word: its shim was killed, or the machine went down.
LOST = Exit(code=KILLED, taken_along=True)


class Gone(RuntimeFailure):
    """There is no such container, or no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A container's directory."""

    directory: Path

    @property
    def name(self) -> str:
        return self.directory.name

    def document(self) -> dict[str, Any]:
        """What `write_spec` wrote; raises Gone."""
        try:
            document: dict[str, Any] = json.loads((self.directory / SPEC).read_text())
        except FileNotFoundError as error:
            raise Gone(f"there is no container {self.name}") from error
        return document

    def labels(self) -> Mapping[str, str]:
        labels: dict[str, str] = self.document()["spec"]["labels"]
        return labels

    def started(self) -> bool:
        return (self.directory / SHIM).exists() or (self.directory / EXIT).exists()

    def exit(self) -> Exit | None:
        """How it ended; None while it runs or was not started."""
        try:
            document = json.loads((self.directory / EXIT).read_text())
            return Exit(code=document["code"], out_of_memory=document["out_of_memory"])
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError):  # cut off by a full disk
            return LOST
        if not self.started():  # before looking for its processes: it may be starting right now
            return None
        for look in (self.open_shim, self.open_program):  # killed, a shim is outlived for a moment
            process = look()
            if process is not None:
                os.close(process)
                return None
        if not self.started():  # the start was taken back
            return None
        # it may have ended between the two looks
        return self.exit() if (self.directory / EXIT).exists() else LOST

    def open_shim(self) -> int | None:
        """A descriptor of the running shim, that polls as readable when it ends; None when it does not run."""
        return self._open(SHIM)

    def open_program(self) -> int | None:
        """The same of the container's first process: when that has ended, all others have."""
        return self._open(CHILD)

    def wait_end(self, seconds: float) -> bool:
        """Wait until the container and its shim have ended; whether they have."""
        deadline = time.monotonic() + seconds
        for look in (self.open_program, self.open_shim):
            process = look()
            if process is None:
                continue
            try:
                if not _ended(process, max(deadline - time.monotonic(), 0.0)):
                    return False
            finally:
                os.close(process)
        return True

    def send(self, number: signal.Signals) -> None:
        """Send the container's program a signal; one that has ended is not an error."""
        program = self.open_program()
        if program is None:
            return
        try:
            signal.pidfd_send_signal(program, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(program)

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Alone with the container, between processes too: nobody starts or removes it meanwhile.

        Gives the descriptor that holds the lock. Raises Gone when it was removed, even if there is another by now.
        """
        try:
            lock = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Gone(f"there is no container {self.name}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._is(lock):
                raise Gone(f"container {self.name} was removed")
            yield lock
        finally:
            os.close(lock)

    def _is(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.directory.stat())
        except FileNotFoundError:
            return False

    def _open(self, file: str) -> int | None:
        try:
            pid, started, boot = (self.directory / file).read_text().split()
            number = int(pid)
        except (FileNotFoundError, ValueError):
            return None
        return open_process(number, started, boot)


def open_process(pid: int, started: str, boot: str) -> int | None:
    """A descriptor of the process that began then, or None when it has ended."""
    if boot != boot_id():
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except (ProcessLookupError, OverflowError):
        return None
    try:
        if start_time(pid) == started and not _ended(descriptor, 0.0):
            return descriptor
    except (FileNotFoundError, ProcessLookupError):
        pass
    os.close(descriptor)
    return None


def _ended(process: int, seconds: float) -> bool:
    """Whether it ends within that time. One that nobody has reaped has ended too: not every first process does that."""
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(math.ceil(seconds * 1000)))


def records(directory: Path) -> Iterator[Record]:
    """All containers, in the order of names."""
    for entry in sorted(directory.iterdir()):
        if not entry.name.startswith("."):
            yield Record(directory=entry)


def write_spec(directory: Path, spec: ContainerSpec, more: Mapping[str, Any]) -> None:
    """Keep how a container was asked for."""
    spec_document = asdict(spec)
    spec_document["mounts"] = [
        {"source": str(mount.source), "target": mount.target, "read_only": mount.read_only} for mount in spec.mounts
    ]
    spec_document["labels"], spec_document["environment"] = dict(spec.labels), dict(spec.environment)
    spec_document["command"] = list(spec.command)
    spec_document["entrypoint"] = None if spec.entrypoint is None else list(spec.entrypoint)
    (directory / SPEC).write_text(json.dumps({"spec": spec_document, **more}))


def read_spec(document: Mapping[str, Any]) -> ContainerSpec:
    """The specification in a record's document."""
    spec = dict(document["spec"])
    spec["mounts"] = [
        Mount(source=Path(m["source"]), target=m["target"], read_only=m["read_only"]) for m in spec["mounts"]
    ]
    return ContainerSpec(**spec)
