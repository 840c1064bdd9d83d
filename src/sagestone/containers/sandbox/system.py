"""The Linux calls that Python does not have, and what they fail with. Imports little: each sandbox starts with it."""

import ctypes
import os
import struct

NEW_NS = 0x00020000
NEW_CGROUP = 0x02000000
NEW_UTS = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PID = 0x20000000
NEW_NET = 0x40000000

RDONLY = 1
NOSUID = 2
NODEV = 4
NOEXEC = 8
REMOUNT = 32
BIND = 4096
RECURSIVE = 16384
PRIVATE = 1 << 18

_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "ppc64le": 203, "s390x": 217, "riscv64": 41, "armv7l": 218, "i686": 217}
_MOUNT_SETATTR = 442  # the same on every processor
_AT_RECURSIVE = 0x8000
_SET_PDEATHSIG = 1
_DROP_BOUNDING = 24
_NO_NEW_PRIVILEGES = 38
_AMBIENT = 47
_AMBIENT_CLEAR = 4
_CAPABILITY_VERSION = 0x20080522

#: What root keeps inside: own files, change user, listen below 1024. Numbers of <linux/capability.h>: CHOWN,
#: DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE, SYS_CHROOT; as in the engine's containers.
KEPT_CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 10, 18)


def unshare(kinds: int) -> None:
    """Move this process (and, of process ids, its children) into new namespaces; raises OSError."""
    _call("unshare", kinds)


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace; raises OSError."""
    _call("setns", descriptor, kind)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount; raises OSError naming the target."""
    _call(
        "mount",
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        os.fsencode(data) or None,
        where=target,
    )


def bind(source: str, target: str, *, read_only: bool = False) -> None:
    """Show `source` with what is mounted below it at `target`, without devices or set-user-id; raises OSError."""
    mount(source, target, flags=BIND | RECURSIVE)
    set_flags(target, NOSUID | NODEV | (RDONLY if read_only else 0))


def set_flags(target: str, flags: int) -> None:
    """Add RDONLY, NOSUID, NODEV, NOEXEC to a mount and those below it; raises OSError."""
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)
    try:
        _syscall(_MOUNT_SETATTR, -100, os.fsencode(target), _AT_RECURSIVE, attributes, len(attributes))
    except OSError as error:
        if error.errno != 38:  # ENOSYS: before Linux 5.12; then only the mount itself can be changed
            raise
        now = os.statvfs(target).f_flag & (RDONLY | NOSUID | NODEV | NOEXEC)
        mount("", target, flags=REMOUNT | BIND | flags | now)


def change_root(new_root: str) -> int:
    """Make a mount point the root; a descriptor of the old root, which `leave_root` takes away."""
    old = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    os.chdir(new_root)
    _syscall(_PIVOT_ROOT[os.uname().machine], b".", b".")
    return old


def leave_root(old: int) -> None:
    """Let go of the old root: from here on nothing of the host but what was bound can be reached."""
    os.fchdir(old)
    mount("", ".", flags=RECURSIVE | PRIVATE)
    _call("umount2", b".", _DETACH)
    os.chdir("/")
    os.close(old)


def set_host_name(name: str) -> None:
    """Raises OSError."""
    encoded = name.encode()
    _call("sethostname", encoded, len(encoded))


def die_with_parent() -> None:
    """SIGKILL when the parent ends. Changing the user id undoes it: call it after that."""
    _call("prctl", _SET_PDEATHSIG, 9, 0, 0, 0)


def renounce_capabilities(kept: "tuple[int, ...]") -> None:
    """Give up for ever all capabilities but these, and every way of gaining one."""
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(64):
        if number not in kept:
            libc.prctl(_DROP_BOUNDING, number, 0, 0, 0)  # fails for numbers this kernel does not have
    libc.prctl(_AMBIENT, _AMBIENT_CLEAR, 0, 0, 0)
    low = sum(1 << number for number in kept)
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    _call("capset", header, struct.pack("IIIIII", low, low, 0, 0, 0, 0))


def renounce_privileges() -> None:
    """No program started from here gains rights by set-user-id bits or file capabilities."""
    _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def default_signals() -> None:
    """Undo what Python and our parents ignore: a program starts with every signal as it is by default."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    for number in range(1, 65):
        libc.signal(number, None)
    libc.sigprocmask(2, bytes(128), None)  # SIG_SETMASK, nothing


def _call(name: str, *arguments: object, where: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        _refused(name, where)


def _syscall(number: int, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) != 0:
        _refused(f"system call {number}", "")


def _refused(name: str, where: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{name}: {os.strerror(number)}", where or None)
