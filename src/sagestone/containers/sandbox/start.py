"""Turns a container's record into orders for its shim, and starts that."""

import errno
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from sagestone.archive.remove import remove_tree
from sagestone.containers.images.store import StoredImage
from sagestone.containers.runtime import AlreadyStarted, ContainerSpec, RuntimeFailure, StartFailed
from sagestone.containers.sandbox.cgroup import Cgroups, Limits
from sagestone.containers.sandbox.launch import launch
from sagestone.containers.sandbox.network import Membership, Networks
from sagestone.containers.sandbox.orders import Orders
from sagestone.containers.sandbox.record import Record, read_spec
from sagestone.containers.sandbox.shim import FAILED, NO_OVERLAY, STARTED

_NO_ROOM = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def start_record(record: Record, stored: StoredImage, networks: Networks, cgroups: Cgroups | None) -> None:
    """Start the container; raises StartFailed when its program never ran, AlreadyStarted, RuntimeFailure."""
    with record.locked() as lock:
        if record.started():
            raise AlreadyStarted(f"container {record.name} was started before")
        spec = read_spec(record.document())
        membership = networks.join(spec.network, spec.hostname) if spec.network is not None else None
        if cgroups is not None:
            cgroups.create(Limits(memory_bytes=spec.memory_bytes, cpus=spec.cpus, pids=spec.pids_limit))
        orders = make_orders(record.directory, spec, stored, membership, cgroups, lock)
        answer = launch("shim", orders.dump(), [lock])
        if answer.startswith(NO_OVERLAY):
            answer = _start_with_copy(record.directory, stored, orders)
        if answer != STARTED:
            text = answer.removeprefix(FAILED).decode(errors="replace")
            if text.startswith(_NO_ROOM):  # the machine's fault, not the image's
                raise RuntimeFailure(f"container {record.name} could not be started: {text}")
            raise StartFailed(f"container {record.name}: {text}")


def store_name(directory: Path) -> str:
    """A short word for a runtime's directory, so that two of them never share a control group."""
    return hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]


def _start_with_copy(directory: Path, stored: StoredImage, orders: Orders) -> bytes:
    """Where the kernel makes no overlay the container gets its own copy of the image: slow, but the same inside."""
    remove_tree(directory / "root")
    shutil.copytree(stored.rootfs, directory / "root", symlinks=True)
    if os.geteuid() == 0:
        _copy_owners(stored.rootfs, directory / "root")
    orders.storage = "copy"
    return launch("shim", orders.dump(), [orders.lock])


def _copy_owners(source: Path, target: Path) -> None:
    for here, directories, files in os.walk(source):
        for name in [".", *directories, *files]:
            status = os.lstat(Path(here) / name)
            os.chown(
                target / Path(here).relative_to(source) / name, status.st_uid, status.st_gid, follow_symlinks=False
            )


def make_orders(
    directory: Path,
    spec: ContainerSpec,
    stored: StoredImage,
    membership: Membership | None,
    cgroups: Cgroups | None,
    lock: int,
) -> Orders:
    config = stored.config
    if spec.entrypoint is None:
        arguments = [*(config.get("Entrypoint") or []), *(spec.command or config.get("Cmd") or [])]
    else:
        arguments = [*spec.entrypoint, *spec.command]
    if not arguments:
        raise StartFailed(f"container {spec.name}: its image has no ENTRYPOINT and no command was given")
    image_environment = dict(entry.partition("=")[::2] for entry in config.get("Env") or [])
    mounts = _host_files(directory, spec, membership)
    mounts += [(str(mount.source), mount.target, mount.read_only) for mount in spec.mounts]
    return Orders(
        directory=str(directory),
        rootfs=str(stored.rootfs),
        storage="overlay",
        arguments=[str(argument) for argument in arguments],
        environment={"PATH": _PATH, "HOSTNAME": spec.hostname, **image_environment, **spec.environment},
        workdir=config.get("WorkingDir") or "/",
        user=config.get("User") or "",
        hostname=spec.hostname,
        mounts=mounts,
        shared_memory_bytes=spec.shared_memory_bytes,
        network=(membership.holder, membership.address, membership.port) if membership else None,
        outward=spec.outward,
        cgroup_files=cgroups.process_files() if cgroups else [],
        oom_file=cgroups.oom_file() if cgroups else "",
        processes=0 if cgroups and cgroups.limits_processes else spec.pids_limit,
        plain_user=os.geteuid() != 0,
        kept_output=spec.kept_output_bytes,
        lock=lock,
    )


def _host_files(directory: Path, spec: ContainerSpec, membership: Membership | None) -> list[tuple[str, str, bool]]:
    """What a container needs to know its name; a network's hosts file is shared and so not the container's to write."""
    etc = directory / "etc"
    etc.mkdir(exist_ok=True)
    files: Mapping[str, str] = {
        "hostname": f"{spec.hostname}\n",
        "resolv.conf": _text("/etc/resolv.conf") if spec.outward else "",
        "hosts": f"127.0.0.1\tlocalhost\n127.0.0.1\t{spec.hostname}\n{_text('/etc/hosts') if spec.outward else ''}",
    }
    for name, text in files.items():
        (etc / name).write_text(text)
        (etc / name).chmod(0o644)
    mounts = [(str(etc / name), f"/etc/{name}", False) for name in files]
    if membership is not None:
        mounts[-1] = (str(membership.hosts), "/etc/hosts", True)
    return mounts


def _text(file: str) -> str:
    """What this machine says there; it may say nothing."""
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError):
        return ""
