"""A container's file system, made in its own mount namespace: nothing of it is ever mounted on the host."""

import os
import stat

from sagestone.containers.sandbox.orders import Orders
from sagestone.containers.sandbox.system import (
    BIND,
    NODEV,
    NOEXEC,
    NOSUID,
    PRIVATE,
    RDONLY,
    RECURSIVE,
    bind,
    change_root,
    leave_root,
    mount,
    set_flags,
)

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = (
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
    ("pts/ptmx", "ptmx"),
)
#: What of the kernel's own files a program must not write, and not even see.
_PROC_READ_ONLY = ("bus", "dynamic_debug", "fs", "irq", "mtrr", "pressure", "sys", "sysrq-trigger")
_PROC_HIDDEN = ("acpi", "asound", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list", "timer_stats")
_SYS_HIDDEN = ("/sys/firmware", "/sys/devices/virtual/powercap")  # as engines do: the latter tells others' secrets


class NoOverlay(Exception):
    """This kernel, or the file system below the sandbox's directory, makes no overlay for us."""


def enter_root(orders: Orders) -> None:
    """Build the container's file system and move into it; the process must be alone in its mount namespace.

    Everything is bound after the change of root, from descriptors: a target that leads through the image's own links
    is resolved in the container, never on the host. Until the old root is left it lies upon ours, where `..` of our
    root finds it: so the kernel is given no path with a link in it. Raises OSError or NoOverlay.
    """
    mount("", "/", flags=RECURSIVE | PRIVATE)
    sources = [(_open(source), target, read_only) for source, target, read_only in orders.mounts]
    devices = [(_open(f"/dev/{name}"), name) for name in _DEVICES]
    root = _make_root(orders)
    old = change_root(root)
    _make_proc()
    _make_sys()
    _make_dev(devices, orders.shared_memory_bytes)
    _cover_kernel_files()
    for descriptor, target, read_only in sources:
        _bind_descriptor(descriptor, target, read_only=read_only)
    leave_root(old)


def _make_root(orders: Orders) -> str:
    root = f"{orders.directory}/root"
    if orders.storage == "copy":
        mount(root, root, flags=BIND)
        set_flags(root, NOSUID | NODEV)
        return root
    try:
        _overlay(orders, root, orders.directory)
    except OSError as first:
        # the disk's file system may be unfit to hold changes (an overlay itself, a network's); memory is next best
        changes = f"{orders.directory}/changes"
        try:
            mount("tmpfs", changes, "tmpfs", NOSUID | NODEV, "mode=0700")
            _overlay(orders, root, changes)
        except OSError as second:
            raise NoOverlay(f"{first}; in memory: {second}") from second
    return root


def _overlay(orders: Orders, root: str, changes: str) -> None:
    for name in ("upper", "work"):
        os.makedirs(f"{changes}/{name}", 0o755, exist_ok=True)  # noqa: PTH103  pathlib costs each start
    os.chmod(f"{changes}/upper", stat.S_IMODE(os.stat(orders.rootfs).st_mode))  # noqa: PTH101, PTH116
    # by descriptors: the option's text gives commas and colons a meaning of their own
    lower, upper, work = (_open(path) for path in (orders.rootfs, f"{changes}/upper", f"{changes}/work"))
    where = f"lowerdir={_path(lower)},upperdir={_path(upper)},workdir={_path(work)}"
    mount("overlay", root, "overlay", NOSUID | NODEV, where + (",userxattr" if orders.plain_user else ""))
    for descriptor in (lower, upper, work):
        os.close(descriptor)


def _make_proc() -> None:
    _kernel_directory("/proc")
    mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)


def _make_sys() -> None:
    _kernel_directory("/sys")
    try:
        mount("sysfs", "/sys", "sysfs", NOSUID | NODEV | NOEXEC | RDONLY)
    except PermissionError:
        return  # inside a container whose own /sys is covered the kernel refuses; programs do without


def _make_dev(devices: "list[tuple[int, str]]", shared_memory_bytes: int) -> None:
    _kernel_directory("/dev")
    mount("tmpfs", "/dev", "tmpfs", NOSUID | NOEXEC, "mode=755,size=65536k")
    for descriptor, name in devices:
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_CLOEXEC, 0o666))
        mount(_path(descriptor), f"/dev/{name}", flags=BIND)
        os.close(descriptor)
    for target, name in _DEVICE_LINKS:
        os.symlink(target, f"/dev/{name}")  # noqa: PTH211
    os.mkdir("/dev/pts")  # noqa: PTH102
    mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    os.mkdir("/dev/shm")  # noqa: PTH102
    mount("tmpfs", "/dev/shm", "tmpfs", NOSUID | NODEV, f"mode=1777,size={shared_memory_bytes}")


def _cover_kernel_files() -> None:
    for name in _PROC_HIDDEN:
        _hide(f"/proc/{name}")
    for name in _PROC_READ_ONLY:
        _protect(f"/proc/{name}")
    for path in _SYS_HIDDEN:
        _hide(path)


def _hide(path: str) -> None:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        mount("tmpfs", path, "tmpfs", NOSUID | NODEV | NOEXEC | RDONLY, "size=0,nr_inodes=2,mode=555")
    else:
        mount("/dev/null", path, flags=BIND)


def _protect(path: str) -> None:
    try:
        mount(path, path, flags=BIND | RECURSIVE)
    except FileNotFoundError:
        return
    set_flags(path, RDONLY)


def _bind_descriptor(descriptor: int, target: str, *, read_only: bool) -> None:
    target = os.path.realpath(target)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.makedirs(target, 0o755, exist_ok=True)  # noqa: PTH103
    else:
        os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(target, os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644))
    bind(_path(descriptor), target, read_only=read_only)
    os.close(descriptor)


def _kernel_directory(path: str) -> None:
    """A real one: through a link what is mounted there would be found elsewhere."""
    try:
        os.mkdir(path, 0o755)  # noqa: PTH102
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise NotADirectoryError(20, "the image has something else than a directory there", path) from None


def _open(path: str) -> int:
    return os.open(path, os.O_PATH | os.O_CLOEXEC)


def _path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"
