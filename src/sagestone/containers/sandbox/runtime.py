"""The runtime without an engine: containers made of Linux namespaces, from images that were loaded before.

For one's own code on a machine without Docker, and for tests: it starts in milliseconds, for root and plain users. It
is no wall against hostile images: see docs/sandbox.md for what it keeps apart and what it does not.
"""

import os
import re
import secrets
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from sagestone.archive.remove import remove_tree
from sagestone.containers.fresh import fresh_directory, sweep
from sagestone.containers.images.store import ImageStore, StoredImage
from sagestone.containers.machine import architecture
from sagestone.containers.runtime import (
    Container,
    ContainerSpec,
    Exit,
    Image,
    LogSink,
    LostSink,
    NameTaken,
    RuntimeFailure,
    RuntimeName,
    Stream,
    Usage,
    passed_over,
)
from sagestone.containers.sandbox.cgroup import Cgroups, Hierarchies, find_hierarchies
from sagestone.containers.sandbox.control import connect, listen
from sagestone.containers.sandbox.logs import copy_logs
from sagestone.containers.sandbox.network import Networks
from sagestone.containers.sandbox.record import Gone, Record, records, write_spec
from sagestone.containers.sandbox.start import start_record, store_name
from sagestone.containers.sandbox.usage import tree_usage

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,120}")
_KILL_SECONDS = 60.0  # for the kernel to end what was killed
_NOT_STARTED_YET_SECONDS = 0.01


class SandboxRuntime:
    """See `runtime.Runtime` for the promises. Everything lies below one directory, which processes may share."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory.resolve()
        self._store = ImageStore(self._directory / "images")
        self._networks = Networks(self._directory / "networks")
        self._containers = self._directory / "containers"
        self._containers.mkdir(mode=0o700, exist_ok=True)
        sweep(self._containers)

    @property
    def name(self) -> RuntimeName:
        return "sandbox"

    @property
    def limits_memory(self) -> bool:
        return self._hierarchies is not None

    @property
    def mount_namespace(self) -> str | None:
        return None

    @property
    def images_at_hand(self) -> bool:
        return True

    def image(self, reference: str) -> Image:
        return self._store.resolve(reference).image

    def images(self) -> Iterator[Image]:
        return self._store.images()

    def load_archive(self, archive: Path) -> list[Image]:
        return self._store.load(archive)

    def remove_image(self, reference: str) -> None:
        identity = self._store.resolve(reference).image.id
        if self._store.last_name(reference):
            for record in records(self._containers):
                if _image_of(record) == identity:
                    raise RuntimeFailure(f"image {reference} is in use by container {record.name}")
        self._store.remove(reference)

    def create(self, spec: ContainerSpec) -> str:
        stored = self._store.resolve(spec.image)
        _check(spec, stored)
        with fresh_directory(self._containers) as fresh:
            write_spec(fresh, spec, {"image": stored.image.id, "created": time.time()})
            for part in ("root", "changes"):
                (fresh / part).mkdir(mode=0o755)
            try:
                fresh.rename(self._containers / spec.name)
            except OSError as error:
                raise NameTaken(f"a container called {spec.name} exists already") from error
        try:
            self._store.resolve(stored.image.id)  # may have been removed before our record could hold it
            if spec.network is not None:
                self._networks.join(spec.network, spec.hostname)
        except RuntimeFailure:
            self.remove(spec.name)
            raise
        return spec.name

    def start(self, container: str) -> None:
        record = self._record(container)
        stored = self._store.resolve(record.document()["image"])
        start_record(record, stored, self._networks, self._cgroups(record))

    def wait(self, container: str, timeout: float | None = None) -> Exit | None:
        record = self._record(container)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            ended = record.exit()
            if ended is not None:
                return ended
            left = 60.0 if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return None
            if record.started():
                record.wait_end(min(left, 60.0))
            else:
                self._record(container)  # raises when it was removed
                time.sleep(min(left, _NOT_STARTED_YET_SECONDS))

    def copy_logs(
        self,
        container: str,
        sink: LogSink,
        skip: Mapping[Stream, int] | None = None,
        lost: LostSink = passed_over,
    ) -> None:
        copy_logs(self._record(container), sink, skip or {}, lost)

    def stop(self, container: str, grace_seconds: float) -> Exit:
        record = self._record(container)
        if not record.started():
            raise RuntimeFailure(f"container {container} cannot be stopped: it was not started")
        record.send(signal.SIGTERM)
        ended = self.wait(container, grace_seconds)
        if ended is None:
            record.send(signal.SIGKILL)
            ended = self.wait(container, _KILL_SECONDS)
        if ended is None:
            raise RuntimeFailure(f"container {container} does not end: {_KILL_SECONDS:.0f} s after SIGKILL it runs on")
        return ended

    def usage(self, container: str) -> Usage | None:
        record = self._record(container)
        if not record.started() or record.exit() is not None:
            return None
        cgroups = self._cgroups(record)
        return (cgroups.usage() if cgroups else None) or tree_usage(record)

    def places(self, container: str) -> Sequence[Path]:
        """Changes that memory holds count as memory, and those to a copied image are not told."""
        return [self._record(container).directory / part for part in ("upper", "etc")]

    def connect(self, container: str, port: int, timeout: float) -> socket.socket:
        return connect(self._record(container), port, timeout)

    def listen(self, container: str, port: int) -> socket.socket:
        return listen(self._record(container), port)

    def remove(self, container: str) -> None:
        record = Record(directory=self._containers / container)
        if not _NAME.fullmatch(container) or not record.directory.is_dir():
            return
        try:
            with record.locked():
                record.send(signal.SIGKILL)
                if not record.wait_end(_KILL_SECONDS):
                    raise RuntimeFailure(f"container {container} does not end: it cannot be removed")
                cgroups = self._cgroups(record)
                if cgroups is not None:
                    cgroups.remove()
                gone = self._containers / f".gone-{secrets.token_hex(8)}"
                record.directory.rename(gone)
                remove_tree(gone)  # still locked: whoever finds it unlocked goes on with it
        except Gone:
            return  # somebody else removed it

    def find(self, labels: Mapping[str, str]) -> list[Container]:
        sweep(self._containers)
        found: list[Container] = []
        for record in records(self._containers):
            try:
                has = record.labels()
            except Gone:
                continue  # removed since it was listed
            if labels.items() <= has.items():
                started = record.started()
                running = started and record.exit() is None
                found.append(Container(id=record.name, name=record.name, labels=has, running=running, started=started))
        return found

    def create_network(self, name: str, labels: Mapping[str, str], *, outward: bool = False) -> None:
        if not _NAME.fullmatch(name):
            raise RuntimeFailure(f"{name!r} cannot be a network's name")
        self._networks.create(name, labels)

    def remove_network(self, name: str) -> None:
        if _NAME.fullmatch(name):
            self._networks.remove(name)

    def find_networks(self, labels: Mapping[str, str]) -> list[str]:
        return list(self._networks.find(labels))

    @cached_property
    def _hierarchies(self) -> Hierarchies | None:
        return find_hierarchies()

    def _cgroups(self, record: Record) -> Cgroups | None:
        if self._hierarchies is None:
            return None
        return Cgroups(self._hierarchies, f"{store_name(self._directory)}-{record.name}")

    def _record(self, container: str) -> Record:
        record = Record(directory=self._containers / container)
        if not _NAME.fullmatch(container) or not record.directory.is_dir():
            raise RuntimeFailure(f"there is no container {container}")
        return record


def _image_of(record: Record) -> str | None:
    try:
        return str(record.document()["image"])
    except Gone:
        return None


def _check(spec: ContainerSpec, stored: StoredImage) -> None:
    """Refuse what this runtime cannot do, instead of doing something else."""
    if not _NAME.fullmatch(spec.name):
        raise RuntimeFailure(f"{spec.name!r} cannot be a container's name")
    if spec.gpus:
        raise RuntimeFailure(
            f"container {spec.name}: the sandbox has no GPUs to give ({len(spec.gpus)} asked for); use Docker"
        )
    if stored.image.architecture not in ("", architecture()):
        raise RuntimeFailure(
            f"container {spec.name}: image {spec.image} is for {stored.image.architecture}, but this machine is "
            f"{architecture()}"
        )
    for mount in spec.mounts:
        if not mount.source.is_absolute() or not os.path.exists(mount.source):  # noqa: PTH110  a link's end counts
            raise RuntimeFailure(f"container {spec.name}: mount source {mount.source} (for {mount.target}) is missing")
        if not mount.target.startswith("/") or ".." in mount.target.split("/"):
            raise RuntimeFailure(f"container {spec.name}: mount target {mount.target} is not an absolute path")
