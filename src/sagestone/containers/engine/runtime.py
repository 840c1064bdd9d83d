"""Containers by the Docker Engine API, spoken by Docker and by Podman's service: one driver for both.

What the two do differently stands where it matters: `spec` (what a container may do), `logs` (following),
`exit` (out of memory), `images` (names and digests), `connect` (ports).
"""

import os
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sagestone.containers.engine.connect import connect_engine, listen_engine, private_network
from sagestone.containers.engine.exit import NOT_STARTED, has_ended, inspect, never_started, wait_for_exit
from sagestone.containers.engine.http import EngineHttp, EngineRefused, EngineUnreachable
from sagestone.containers.engine.images import EngineImages, check_architecture
from sagestone.containers.engine.logs import follow_file, follow_stream, poll_stream
from sagestone.containers.engine.networks import (
    create_engine_network,
    find_engine_networks,
    leave_one_network,
    remove_engine_network,
)
from sagestone.containers.engine.spec import check_gpus, check_sources, container_document
from sagestone.containers.mount_namespace import engine_namespace
from sagestone.containers.runtime import (
    Container,
    ContainerSpec,
    Exit,
    Image,
    ImageNotFound,
    LogSink,
    LostSink,
    NameTaken,
    RuntimeFailure,
    RuntimeName,
    StartFailed,
    Stream,
    Usage,
    passed_over,
)
from sagestone.domain.container_end import KILLED

#: Podman asks the machine's package manager for the versions of its parts, which takes its time on a busy machine; and
#: goes on with it when nobody waits any more, so that whoever asks again too soon makes it slower still.
_INTRODUCTION_SECONDS = 60.0
#: Why a start may fail whatever the image: a network that an engine lost when it was killed, a full disk.
_NOT_THE_IMAGES = re.compile(
    r"(?i)network \S+ (not found|is ambiguous)|network not found|create endpoint|no space left on device"
)


class EngineRuntime:
    """The engine at `url`, such as unix:///var/run/docker.sock; raises RuntimeFailure when it does not answer.

    One that is away later is waited for, for `patience_seconds`.
    """

    def __init__(self, url: str, *, pull: bool = True, patience_seconds: float = 0.0) -> None:
        self._http = EngineHttp(url, patience_seconds=patience_seconds)
        version = self._http.version(_INTRODUCTION_SECONDS)
        components = [component.get("Name", "") for component in version.get("Components") or ()]
        self._name: RuntimeName = "podman" if any("podman" in name.lower() for name in components) else "docker"
        self._version = tuple(int(part) for part in re.findall(r"\d+", str(version.get("Version") or ""))[:2])
        self._architecture = str(version.get("Arch") or "")
        self._images = EngineImages(self._http, pull=pull)
        self._limits_memory: bool | None = None

    @property
    def name(self) -> RuntimeName:
        return self._name

    @property
    def url(self) -> str:
        return self._http.url

    @property
    def limits_memory(self) -> bool:
        if self._limits_memory is None:
            self._limits_memory = bool(self._http.get("/info").get("MemoryLimit"))
        return self._limits_memory

    @property
    def mount_namespace(self) -> str | None:
        return engine_namespace(self._http.url)

    @property
    def images_at_hand(self) -> bool:
        return False

    def image(self, reference: str) -> Image:
        return self._images.image(reference)

    def images(self) -> Iterator[Image]:
        return self._images.images()

    def load_archive(self, archive: Path) -> list[Image]:
        """Load an archive as `docker save` writes it, also compressed."""
        return self._images.load(archive)

    def remove_image(self, reference: str) -> None:
        """Forget a name, and the image with its last one; raises ImageNotFound."""
        self._images.remove(reference)

    def create(self, spec: ContainerSpec) -> str:
        image = self.image(spec.image)
        check_architecture(image, self._architecture)
        check_sources(spec)
        check_gpus(spec, self._name, self._version)
        if spec.network is not None and self._name == "docker":
            leave_one_network(self._http, spec.network)
        try:
            answer = self._http.post(
                "/containers/create", container_document(spec, image.id, self._name), name=spec.name
            )
        except EngineRefused as refusal:
            if "already in use" in refusal.text:
                raise NameTaken(f"a container {spec.name} exists already") from refusal
            if refusal.status == 404 and "image" in refusal.text.lower():
                raise ImageNotFound(f"image {spec.image}: {refusal.text}") from refusal
            raise RuntimeFailure(f"container {spec.name} could not be made: {refusal.text}") from refusal
        return str(answer["Id"])

    def start(self, container: str) -> None:
        try:
            self._http.post(f"/containers/{container}/start")
        except EngineRefused as refusal:
            if _NOT_THE_IMAGES.search(refusal.text):
                raise RuntimeFailure(f"container {container} could not be started: {refusal.text}") from refusal
            raise StartFailed(refusal.text) from refusal

    def wait(self, container: str, timeout: float | None = None) -> Exit | None:
        return wait_for_exit(self._http, container, self._name, timeout)

    def copy_logs(
        self,
        container: str,
        sink: LogSink,
        skip: Mapping[Stream, int] | None = None,
        lost: LostSink = passed_over,
    ) -> None:
        """What an engine has thrown away it does not tell: `lost` is never called."""
        document = inspect(self._http, container)
        while never_started(document):
            time.sleep(0.02)
            document = inspect(self._http, container)

        def ended() -> bool:
            return has_ended(inspect(self._http, container))

        if self._name == "docker":
            follow_stream(self._http, container, sink, skip, ended)
        elif document.get("LogPath") and os.access(document["LogPath"], os.R_OK):
            follow_file(Path(document["LogPath"]), sink, skip, ended)
        else:
            poll_stream(self._http, container, sink, skip, ended)

    def stop(self, container: str, grace_seconds: float) -> Exit:
        """SIGTERM, wait, SIGKILL. A container that never started ends with 137, as one that was killed at once."""
        if never_started(inspect(self._http, container)):
            return Exit(code=KILLED)
        self._signal(container, "SIGTERM")
        ended = self.wait(container, grace_seconds)
        if ended is None:
            self._signal(container, "SIGKILL")
            ended = self.wait(container, 60.0)
        if ended is None:
            raise RuntimeFailure(f"container {container} does not end, not even by SIGKILL; look at the engine")
        return ended

    def usage(self, container: str) -> Usage | None:
        try:
            stats = self._http.get(f"/containers/{container}/stats", **{"stream": False, "one-shot": True})
        except EngineRefused as refusal:
            if refusal.status in (404, 409) or "not running" in refusal.text or "stopped" in refusal.text:
                return None
            raise
        memory = (stats or {}).get("memory_stats") or {}
        used = memory.get("usage") or 0
        if not used:
            return None
        cache = memory.get("stats") or {}
        used -= cache.get("total_inactive_file") or cache.get("inactive_file") or 0
        seconds = (((stats.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage") or 0) / 1e9
        return Usage(memory_bytes=max(int(used), 0), cpu_seconds=seconds)

    def places(self, container: str) -> Sequence[Path]:
        """The upper layer of an overlay, and the files of the host's names; other storage drivers do not tell."""
        document = inspect(self._http, container)
        layer = ((document.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir")
        files = [document.get(name) for name in ("HostnamePath", "HostsPath", "ResolvConfPath")]
        return [Path(path) for path in (layer, *files) if path]

    def connect(self, container: str, port: int, timeout: float) -> socket.socket:
        return connect_engine(self._http, container, port, timeout)

    def listen(self, container: str, port: int) -> socket.socket:
        return listen_engine(self._http, container, port)

    def remove(self, container: str) -> None:
        try:
            document = inspect(self._http, container)
        except EngineUnreachable:
            raise
        except RuntimeFailure:
            return
        identity = document["Id"]
        if self._name == "podman" and document["State"].get("Running"):
            self._signal(identity, "SIGKILL")  # its own forced removal waits ten seconds first
        try:
            self._http.delete(f"/containers/{identity}", force=True, v=True)
        except EngineRefused as refusal:
            if refusal.status not in (404, 409):
                raise RuntimeFailure(f"container {container} could not be removed: {refusal.text}") from refusal
        self._await_removal(identity)
        remove_engine_network(self._http, private_network(identity))

    def find(self, labels: Mapping[str, str]) -> list[Container]:
        filters = {"label": [f"{key}={value}" for key, value in labels.items()]}
        entries = self._http.get("/containers/json", all=True, filters=filters)
        return [_container(entry, started=self._was_started(entry)) for entry in entries]

    def _was_started(self, entry: dict[str, Any]) -> bool:
        """Podman's list takes what went down with the machine for what was never started."""
        if entry.get("State") not in NOT_STARTED:
            return True
        if self._name == "docker":
            return False
        try:
            return not never_started(inspect(self._http, entry["Id"]))
        except EngineUnreachable:
            raise
        except RuntimeFailure:  # removed since it was listed
            return False

    def create_network(self, name: str, labels: Mapping[str, str], *, outward: bool = False) -> None:
        # root reaches containers through their namespaces, others by the host's address on the bridge
        without_host = not outward and self._name == "docker" and os.geteuid() == 0
        create_engine_network(self._http, name, labels, outward=outward, without_host=without_host)

    def remove_network(self, name: str) -> None:
        remove_engine_network(self._http, name)

    def find_networks(self, labels: Mapping[str, str]) -> list[str]:
        return find_engine_networks(self._http, labels)

    def _signal(self, container: str, signal: str) -> None:
        """Send it; a container that does not run any more is not an error."""
        try:
            self._http.post(f"/containers/{container}/kill", signal=signal)
        except EngineRefused as refusal:
            runs_no_more = refusal.status in (404, 409) or "state improper" in refusal.text
            if not runs_no_more and not self._is_over(container):
                raise RuntimeFailure(f"container {container} could not be sent {signal}: {refusal.text}") from refusal

    def _is_over(self, container: str) -> bool:
        """Whether it has ended, or was removed by somebody else."""
        try:
            return has_ended(inspect(self._http, container))
        except RuntimeFailure:
            return True  # an engine that does not answer says so at the next call

    def _await_removal(self, identity: str) -> None:
        """An engine may still be removing what another call, or the one before, asked it to."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self._http.get(f"/containers/{identity}/json")
            except EngineRefused as refusal:
                if refusal.status == 404:
                    return
                raise
            if time.monotonic() > deadline:
                raise RuntimeFailure(f"container {identity} is still there 60 s after the engine was told to remove it")
            time.sleep(0.02)


def _container(entry: dict[str, Any], *, started: bool) -> Container:
    names = entry.get("Names") or [entry["Id"]]
    return Container(
        id=entry["Id"],
        name=names[0].lstrip("/"),
        labels=entry.get("Labels") or {},
        running=entry.get("State") in ("running", "paused", "restarting", "stopping"),
        started=started,
    )
