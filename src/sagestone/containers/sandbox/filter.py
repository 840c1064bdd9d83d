"""The system calls that a sandbox's program may not make: those that engines deny by default. Imports little.

The kernel runs the filter (seccomp, classic BPF) for the program and all that it starts; nothing takes it away again.
What is refused answers EPERM. `clone3` and calls newer than this list answer ENOSYS: C libraries then use the older
call, whose flags a filter can see. Programs of another architecture (32 bits on x86_64) get ENOSYS for everything.
Numbers: <asm/unistd.h> of both architectures; the denied calls: the default profile of Docker and Podman for a
container without capabilities. ptrace is allowed, as there: it reaches the container's own processes only.
"""

import ctypes
import os
import struct

_DENIED_X86_64 = {
    "acct": 163, "add_key": 248, "bpf": 321, "clock_adjtime": 305, "clock_settime": 227, "create_module": 174,
    "delete_module": 176, "fanotify_init": 300, "finit_module": 313, "get_kernel_syms": 177, "get_mempolicy": 239,
    "init_module": 175, "ioperm": 173, "iopl": 172, "kcmp": 312, "kexec_file_load": 320, "kexec_load": 246,
    "keyctl": 250, "lookup_dcookie": 212, "mbind": 237, "migrate_pages": 256, "mount": 165, "move_pages": 279,
    "nfsservctl": 180, "open_by_handle_at": 304, "perf_event_open": 298, "pivot_root": 155, "query_module": 178,
    "quotactl": 179, "reboot": 169, "request_key": 249, "set_mempolicy": 238, "setns": 308, "settimeofday": 164,
    "swapoff": 168, "swapon": 167, "sysfs": 139, "_sysctl": 156, "syslog": 103, "umount2": 166, "unshare": 272,
    "uselib": 134, "userfaultfd": 323, "ustat": 136, "vhangup": 153,
}  # fmt: skip
_DENIED_AARCH64 = {
    "acct": 89, "add_key": 217, "bpf": 280, "clock_adjtime": 266, "clock_settime": 112, "delete_module": 106,
    "fanotify_init": 262, "finit_module": 273, "get_mempolicy": 236, "init_module": 105, "kcmp": 272,
    "kexec_file_load": 294, "kexec_load": 104, "keyctl": 219, "lookup_dcookie": 18, "mbind": 235, "migrate_pages": 238,
    "mount": 40, "move_pages": 239, "nfsservctl": 42, "open_by_handle_at": 265, "perf_event_open": 241,
    "pivot_root": 41, "quotactl": 60, "reboot": 142, "request_key": 218, "set_mempolicy": 237, "setns": 268,
    "settimeofday": 170, "swapoff": 225, "swapon": 224, "syslog": 116, "umount2": 39, "unshare": 97,
    "userfaultfd": 282, "vhangup": 58,
}  # fmt: skip
#: Since Linux 5.1 calls have the same numbers everywhere.
_DENIED_EVERYWHERE = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "set_mempolicy_home_node": 450, "open_tree_attr": 467,
}  # fmt: skip
_CLONE3, _NEWEST = 435, 469  # the newest call that was looked at: file_setattr, Linux 6.17

_NAMESPACES = 0x7E020000  # every CLONE_NEW… flag
_VSOCK = 40  # the family that reaches the hypervisor, whatever network namespace a program is in
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)

_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # where they are in what a filter sees
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _GREATER, _ANY_BIT = 0x15, 0x25, 0x45
_ALLOW, _ERRNO, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000, 1, 38

_SET_MODE_FILTER, _SPEC_ALLOW = 1, 4


class _Machine:
    """What differs between architectures."""

    __slots__ = ("clone", "denied", "mark", "personality", "seccomp", "socket")

    def __init__(
        self, *, mark: int, denied: "dict[str, int]", clone: int, socket: int, personality: int, seccomp: int
    ) -> None:
        self.mark = mark  # AUDIT_ARCH_…
        self.denied = {**denied, **_DENIED_EVERYWHERE}
        self.clone, self.socket, self.personality, self.seccomp = clone, socket, personality, seccomp


_MACHINES = {
    "x86_64": _Machine(
        mark=0xC000003E, denied=_DENIED_X86_64, clone=56, socket=41, personality=135, seccomp=317
    ),
    "aarch64": _Machine(
        mark=0xC00000B7, denied=_DENIED_AARCH64, clone=220, socket=198, personality=92, seccomp=277
    ),
}  # fmt: skip


def filters_calls(machine: "str | None" = None) -> bool:
    """Whether there is a filter for this machine's architecture."""
    return (machine or os.uname().machine) in _MACHINES


def filter_program(machine: str) -> bytes:
    """The filter as the kernel takes it: eight bytes for each instruction."""
    of = _MACHINES[machine]
    refuse, unknown, allow = ((_RETURN, 0, 0, value) for value in (_ERRNO | _EPERM, _ERRNO | _ENOSYS, _ALLOW))
    instructions: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, of.mark),
        unknown,
        (_LOAD, 0, 0, _NUMBER),
        (_GREATER, 0, 1, _NEWEST),
        unknown,
        (_EQUAL, 0, 1, _CLONE3),
        unknown,
        (_EQUAL, 0, 4, of.clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_ANY_BIT, 0, 1, _NAMESPACES),
        refuse,
        allow,
        (_EQUAL, 0, 4, of.socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, 0, 1, _VSOCK),
        refuse,
        allow,
        (_EQUAL, 0, 3 + len(_PERSONALITIES), of.personality),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
    ]
    for index, value in enumerate(_PERSONALITIES):
        instructions.append((_EQUAL, len(_PERSONALITIES) - index, 0, value))
    instructions += [refuse, allow]
    numbers = sorted(of.denied.values())
    for index, number in enumerate(numbers):
        instructions.append((_EQUAL, len(numbers) - index, 0, number))
    instructions += [allow, refuse]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)


def filter_calls() -> None:
    """Filter this process and all it starts, for ever; needs no right, but no_new_privs set. Raises OSError.

    Without a filter for this architecture nothing happens: `filters_calls` tells.
    """
    machine = os.uname().machine
    if machine not in _MACHINES:
        return
    program = filter_program(machine)
    kept = ctypes.create_string_buffer(program, len(program))
    document = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    # without the flag older kernels slow every program down that is filtered, for fear of speculation
    for flags in (_SPEC_ALLOW, 0):
        if libc.syscall(_MACHINES[machine].seccomp, _SET_MODE_FILTER, flags, document) == 0:
            return
    number = ctypes.get_errno()
    raise OSError(number, f"system calls cannot be filtered: {os.strerror(number)}")
