"""What is known of each sandbox, as files, so that any process finds it and it survives them all.

A container's directory is named after it and holds: `spec.json` (how it was asked for), `shim` (process, its start time
and the machine's boot), `child`, `exit.json` (written last: how it ended), `control` (a socket while it runs),
`stdout.log` and `stderr.log`, `root` `upper` `work` `changes` (its file system), `etc` (its host files).
"""

import json
import os
import select
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sagestone.containers.runtime import ContainerSpec, Exit, Mount
from sagestone.containers.sandbox_shim import EXIT, SHIM, boot_id, start_time

SPEC = "spec.json"
#: The code of a container that ended without a word: its shim was killed, or the machine went down.
LOST = Exit(code=137)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A container's directory."""

    directory: Path

    @property
    def name(self) -> str:
        return self.directory.name

    def document(self) -> dict[str, Any]:
        """What `write_spec` wrote; raises FileNotFoundError."""
        document: dict[str, Any] = json.loads((self.directory / SPEC).read_text())
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
        shim = self.open_shim()
        if shim is not None:
            os.close(shim)
            return None
        if not self.started():
            return None
        # it may have ended between the two looks
        return self.exit() if (self.directory / EXIT).exists() else LOST

    def open_shim(self) -> int | None:
        """A descriptor of the running shim, that polls as readable when it ends; None when it does not run."""
        try:
            pid, started, boot = (self.directory / SHIM).read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return open_process(int(pid), started, boot)

    def wait_shim(self, seconds: float) -> bool:
        """Wait until the shim has ended; whether it has."""
        shim = self.open_shim()
        if shim is None:
            return True
        try:
            poll = select.poll()
            poll.register(shim, select.POLLIN)
            return bool(poll.poll(max(0, int(seconds * 1000))))
        finally:
            os.close(shim)


def open_process(pid: int, started: str, boot: str) -> int | None:
    """A descriptor of the process that began then, or None when it has ended."""
    if boot != boot_id():
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    try:
        if start_time(pid) == started:
            return descriptor
    except (FileNotFoundError, ProcessLookupError):
        pass
    os.close(descriptor)
    return None


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
