"""The program that a container begins with: looked at, and started in the place of this process. Imports little."""

import os
import stat

_MOST_INTERPRETERS = 5  # the kernel follows as many
_LONGEST_LINE = 256  # of a script's first line, as the kernel reads it


class NotStarted(Exception):
    """The container's program never ran."""


def refuse_our_own(program: str, environment: "dict[str, str]") -> None:
    """Raise NotStarted where the program, or what interprets it, is the file that this process runs.

    `/proc/self/exe` means that file to the kernel, wherever it lies: as root a program that is started by this name
    could change the mode of the machine's own Python, or write to it. (CVE-2019-5736 was that, in runc.)
    """
    own = os.stat("/proc/self/exe")  # noqa: PTH116  pathlib costs each start
    for path in [program] if "/" in program else [f"{each}/{program}" for each in os.get_exec_path(environment)]:
        for _ in range(_MOST_INTERPRETERS + 1):
            try:
                status = os.stat(path)  # noqa: PTH116
            except OSError:
                break
            if os.path.samestat(status, own):
                raise NotStarted(f"{program!r} leads to the program that makes containers, which is not the image's")
            path = _interpreter(path) if stat.S_ISREG(status.st_mode) else ""
            if not path:
                break


def execute(arguments: "list[str]", environment: "dict[str, str]") -> None:
    """Become that program; raises NotStarted."""
    program = arguments[0]
    try:
        os.execvpe(program, arguments, environment)
    except FileNotFoundError as error:
        if "/" in program and os.path.exists(program):  # noqa: PTH110
            raise NotStarted(f"{program!r} is there, but the interpreter it names is not") from error
        where = "" if "/" in program else f" in PATH ({environment.get('PATH', '')})"
        raise NotStarted(f"{program!r} is not in the image{where}") from error
    except OSError as error:
        raise NotStarted(f"{program!r} cannot be run: {error.strerror}") from error


def _interpreter(path: str) -> str:
    """What the first line of a script names; "" where it is none."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        line = os.read(file, _LONGEST_LINE).partition(b"\n")[0]
    finally:
        os.close(file)
    words = line[2:].split(None, 1) if line.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else ""
