"""The container runtime, as the agent and the placement see it.

Promises, shown by the contract tests on every implementation:

1.  `create` with a name that exists raises NameTaken and changes nothing; labels are on the container from the start.
2.  The image's ENTRYPOINT, WORKDIR and ENV are kept; `command` replaces CMD, `entrypoint` both ENTRYPOINT and CMD;
    `environment` wins over the image's.
3.  `wait` returns the same Exit however often and however late it is called, also from another process, until `remove`.
    `Exit.taken_along` says so where the program did not end by itself, whether or not anybody saw it.
4.  `copy_logs` gives every byte the container wrote, stdout and stderr apart, once and in order per stream, also when
    it is called after the container ended; it returns when the container has ended and all was delivered. Of output
    beyond `kept_output_bytes` that nobody has read yet the oldest may be gone: a flood does not fill the disk.
5.  `stop` sends SIGTERM, waits, then SIGKILL; it returns the Exit. A container that ended before is not an error.
6.  A container without a network reaches nothing but itself, and resolves its own host name. An `outward` one reaches
    what this machine reaches.
7.  Containers on one network resolve each other by host name and reach nothing else, unless the network was made
    `outward` by an engine.
8.  `connect` gives a connected stream socket to a port inside the container, network or not, root or not; `listen` one
    that listens there, where this process may enter its network.
9.  `find` sees containers made by other processes, running or ended, by labels (all of them must match).
10. `remove` is idempotent, kills what runs, and leaves nothing behind: no process, mount, network or file.
11. `mounts` are exactly as asked: a read-only one cannot be written, a source that is missing is an error.
12. Memory beyond the limit kills the container and `Exit.out_of_memory` says so, where `limits_memory` is true.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

RuntimeName = Literal["docker", "podman", "sandbox"]
Stream = Literal["stdout", "stderr"]


class RuntimeFailure(Exception):
    """The runtime could not do what was asked; the text says what and why."""


class ImageNotFound(RuntimeFailure):
    """No image of that name or digest is known to the runtime."""


class NameTaken(RuntimeFailure):
    """A container or network of that name exists already."""


class AlreadyStarted(RuntimeFailure):
    """The container was started before, maybe by a process that died before it heard of it."""


class StartFailed(RuntimeFailure):
    """The container could not be started: its command is missing, or the runtime refused; the text is the runtime's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that the runtime holds."""

    names: tuple[str, ...]  # every tag and name@digest it is known by
    digest: str  # the registry's manifest digest where there is one, else the image id; always sha256:<64 hex>
    id: str  # sha256:<64 hex> of the image configuration: the local identity
    architecture: str  # amd64, arm64 …
    size_bytes: int
    created: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A directory or file of the host shown inside the container."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """A container to be made. `image` is a digest or id (sha256:…) or a name that `image()` knows."""

    name: str
    image: str
    command: Sequence[str]
    entrypoint: Sequence[str] | None = None
    hostname: str
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str | None = None  # None: no network at all, unless it is `outward`
    outward: bool = False  # where there is no `network`, which itself leads outward or not
    cpus: float | None = None
    memory_bytes: int | None = None
    shared_memory_bytes: int = 64 * 1024 * 1024
    pids_limit: int = 4096
    kept_output_bytes: int = 1 << 30
    gpus: Sequence[str] = ()  # UUIDs of those it gets; no other is visible to it


def ungivable(spec: ContainerSpec) -> str | None:
    """Why no program can be given these variables or words, in a sentence: an engine might cut them off unsaid."""
    for what, text in (
        *((f"The value of the variable {name} in Environment", value) for name, value in spec.environment.items()),
        *(("A part of ContainerEntrypoint", word) for word in spec.entrypoint or ()),
        *(("A part of ContainerArguments", word) for word in spec.command),
    ):
        if "\0" in text:
            return f"{what} has the character NUL in it, with which every text ends for a program"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a container ended.

    `taken_along`: not by its program, but because its engine or this machine went down or was started anew, or what
    watches it was killed; the code says nothing then.
    """

    code: int
    out_of_memory: bool = False
    taken_along: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container as `find` sees it."""

    id: str
    name: str
    labels: Mapping[str, str]
    running: bool
    started: bool = True  # False: made, and never started so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a running container uses now."""

    memory_bytes: int
    cpu_seconds: float


#: Receives log bytes as they come; called from one thread at a time.
LogSink = Callable[[Stream, bytes], None]
#: Is told how many bytes of a stream are gone, at the place where they would have come.
LostSink = Callable[[Stream, int], None]


def passed_over(stream: Stream, count: int) -> None:
    """For those who need not know."""


class Runtime(Protocol):
    """See the promises above. All calls may be made from any thread."""

    @property
    def name(self) -> RuntimeName: ...

    @property
    def limits_memory(self) -> bool:
        """Whether memory limits really hold here (the sandbox of a plain user has none)."""
        ...

    @property
    def mount_namespace(self) -> str | None:
        """Where the sources of mounts are looked up (`containers.mount_namespace`); None: where this process is."""
        ...

    def image(self, reference: str) -> Image:
        """The image of a tag, `name@sha256:…`, digest or id; raises ImageNotFound. May pull where an engine can."""
        ...

    @property
    def images_at_hand(self) -> bool:
        """Whether `image` answers from this machine's own files, without a wait."""
        ...

    def images(self) -> Iterator[Image]: ...

    def load_archive(self, archive: Path) -> list[Image]:
        """Load the images of an OCI or docker archive; raises RuntimeFailure with what is wrong with it."""
        ...

    def remove_image(self, reference: str) -> None:
        """Remove an image by name, digest or id; raises ImageNotFound, or RuntimeFailure while it is in use."""
        ...

    def create(self, spec: ContainerSpec) -> str:
        """Make the container, not running; its id. Raises NameTaken, ImageNotFound or RuntimeFailure."""
        ...

    def start(self, container: str) -> None:
        """Start it; raises StartFailed when it never ran for its image's or command's sake, else RuntimeFailure."""
        ...

    def wait(self, container: str, timeout: float | None = None) -> Exit | None:
        """Wait for the end; None when `timeout` seconds passed first."""
        ...

    def copy_logs(
        self,
        container: str,
        sink: LogSink,
        skip: Mapping[Stream, int] | None = None,
        lost: LostSink = passed_over,
    ) -> None:
        """Deliver all output from its start, or after `skip` bytes of each stream, until the container has ended."""
        ...

    def stop(self, container: str, grace_seconds: float) -> Exit: ...

    def usage(self, container: str) -> Usage | None:
        """What it uses now; None when it does not run."""
        ...

    def places(self, container: str) -> Sequence[Path]:
        """Directories and files of this machine that hold what a started container writes beside its mounts and its
        output; none where that cannot be told. This process may not be allowed to look into them."""
        ...

    def connect(self, container: str, port: int, timeout: float) -> socket.socket:
        """A connected socket to that port inside; raises ConnectionRefusedError or TimeoutError."""
        ...

    def listen(self, container: str, port: int) -> socket.socket:
        """A socket that listens on that port of a running container's loopback; raises RuntimeFailure or OSError."""
        ...

    def remove(self, container: str) -> None: ...

    def find(self, labels: Mapping[str, str]) -> list[Container]: ...

    def create_network(self, name: str, labels: Mapping[str, str], *, outward: bool = False) -> None:
        """A private network, without a way out unless `outward` (the sandbox has none even then); raises NameTaken."""
        ...

    def remove_network(self, name: str) -> None:
        """Idempotent; its containers must have been removed."""
        ...

    def find_networks(self, labels: Mapping[str, str]) -> list[str]: ...
