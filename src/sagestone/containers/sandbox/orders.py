"""What a sandbox's shim is told at its start. Imports nothing heavy: each sandbox starts with it."""

import marshal


class Orders:
    """One container to be run. Paths are absolute and of the host, but for targets."""

    __slots__ = (
        "arguments",
        "cgroup_files",
        "directory",
        "environment",
        "hostname",
        "kept_output",
        "lock",
        "mounts",
        "network",
        "oom_file",
        "outward",
        "plain_user",
        "processes",
        "rootfs",
        "shared_memory_bytes",
        "storage",
        "user",
        "workdir",
    )

    def __init__(
        self,
        *,
        directory: str,
        rootfs: str,
        storage: str,
        arguments: list[str],
        environment: dict[str, str],
        workdir: str,
        user: str,
        hostname: str,
        mounts: list[tuple[str, str, bool]],
        shared_memory_bytes: int,
        network: tuple[int, str, str] | None,
        outward: bool,
        cgroup_files: list[str],
        oom_file: str,
        processes: int,
        plain_user: bool,
        kept_output: int,
        lock: int,
    ) -> None:
        self.directory = directory  # the container's record; logs and sockets go there
        self.rootfs = rootfs  # of the image, never written
        self.storage = storage  # where changes to it go: "overlay", or "copy" when a copy lies in `directory`/root
        self.arguments = arguments
        self.environment = environment
        self.workdir = workdir
        self.user = user  # as the image says it: "", "name", "uid", "user:group"
        self.hostname = hostname
        self.mounts = mounts  # (source, target, read only)
        self.shared_memory_bytes = shared_memory_bytes
        self.network = network  # (process that holds it, address/prefix, name of our port there)
        self.outward = outward  # without a network of its own: it has this machine's
        self.cgroup_files = cgroup_files  # to be joined by writing "0"
        self.oom_file = oom_file  # tells how many processes were killed for memory; "" without limits
        self.processes = processes  # how many the program may have where no control group counts them; 0 else
        self.plain_user = plain_user  # not root: a user namespace is needed
        self.kept_output = kept_output  # bytes of both streams
        self.lock = lock  # a descriptor that keeps the container's record locked until it has started

    def dump(self) -> bytes:
        return marshal.dumps([getattr(self, name) for name in self.__slots__])

    @classmethod
    def load(cls, document: bytes) -> "Orders":
        return cls(**dict(zip(cls.__slots__, marshal.loads(document), strict=True)))
