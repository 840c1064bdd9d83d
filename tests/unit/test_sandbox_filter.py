"""The sandbox's filter of system calls, run by an interpreter of our own over every number of both architectures."""

import platform
import re
import struct
from pathlib import Path

import pytest

from sagestone.containers.sandbox.filter import _MACHINES, filter_program, filters_calls

ALLOW, EPERM, ENOSYS = "allowed", "refused", "unknown"
_ANSWERS = {0x7FFF0000: ALLOW, 0x00050001: EPERM, 0x00050026: ENOSYS}
_HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
#: What every program needs, and what engines allow: numbers of x86_64 and aarch64.
_NEEDED = {
    "read": (0, 63), "mmap": (9, 222), "execve": (59, 221), "exit_group": (231, 94), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "chroot": (161, 51), "prctl": (157, 167), "seccomp": (317, 277),
    "memfd_create": (319, 279), "pidfd_open": (434, 434), "landlock_create_ruleset": (444, 444), "futex": (202, 98),
}  # fmt: skip


def answer(machine: str, number: int, argument: int = 0, mark: int | None = None) -> str:
    """What the filter says to a call: its number, first argument and the architecture that it is made for."""
    program = list(struct.iter_unpack("HBBI", filter_program(machine)))
    seen = struct.pack("IIQQ", number, _MACHINES[machine].mark if mark is None else mark, 0, argument)
    value, at = 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("I", seen, operand)
        elif code == 0x06:
            return _ANSWERS[operand]
        else:
            holds = {0x15: value == operand, 0x25: value > operand, 0x45: bool(value & operand)}[code]
            at += if_true if holds else if_false


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_number_has_its_answer(machine: str) -> None:
    denied = set(_MACHINES[machine].denied.values())
    for number in range(1024):
        expected = EPERM if number in denied else ENOSYS if number > 469 or number == 435 else ALLOW
        assert answer(machine, number) == expected, number
    assert answer(machine, 0x40000001) == ENOSYS  # x32
    assert answer(machine, 1, mark=0x40000003) == ENOSYS  # 32 bits
    for numbers in _NEEDED.values():
        assert answer(machine, numbers[machine == "aarch64"]) == ALLOW


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_flags_and_families_are_looked_at(machine: str) -> None:
    of = _MACHINES[machine]
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert answer(machine, of.clone, bit | 17) == EPERM
    assert answer(machine, of.clone, 0x3D0F00) == ALLOW  # what a thread is made with
    assert answer(machine, of.clone, 17) == ALLOW
    for family in (1, 2, 10, 16):
        assert answer(machine, of.socket, family) == ALLOW
    assert answer(machine, of.socket, 40) == EPERM
    for value in (0, 8, 0x20000, 0x20008, 0xFFFFFFFF):
        assert answer(machine, of.personality, value) == ALLOW
    for value in (0x40000, 1, 0x20001):
        assert answer(machine, of.personality, value) == EPERM


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_names_and_numbers_are_the_kernels(machine: str) -> None:
    header = _HEADERS[machine]
    if not header.exists():
        assert machine == "x86_64" != platform.machine(), f"{header} is missing: apt-get install linux-libc-dev"
        return
    known = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)\b", header.read_text())}
    known |= {name: int(number) for name, number in re.findall(r"#define __NR3264_(\w+) (\d+)", header.read_text())}
    of = _MACHINES[machine]
    stated = {**of.denied, "clone": of.clone, "socket": of.socket, "personality": of.personality, "seccomp": of.seccomp}
    wrong = {name: number for name, number in stated.items() if known.get(name, number) != number}
    assert wrong == {}
    assert len(stated.keys() & known.keys()) > 45


def test_other_architectures_are_said_to_have_none() -> None:
    assert filters_calls("x86_64")
    assert filters_calls("aarch64")
    assert not filters_calls("riscv64")
