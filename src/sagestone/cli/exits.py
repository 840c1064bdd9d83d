"""Exit codes of the command line, the same for every command."""

import os
from typing import Final, NoReturn

import typer

OK: Final = 0
FAILED: Final = 1  # the thing asked about failed: a validation, a job
USAGE: Final = 2  # the command line or a file it names is wrong
UNAVAILABLE: Final = 3  # the service, an engine or a file of the machine is not there
INTERRUPTED: Final = 130  # Ctrl-C

HELP: Final = """
Exit codes: 0 done; 1 it failed (a validation, a job), the reason is printed; 2 wrong usage or a wrong file;
3 the service or something of this machine is missing; 130 interrupted.
"""


def command_name() -> str:
    """How this command line is called here: `./run sagestone` from a checkout."""
    return os.environ.get("SAGESTONE_COMMAND", "sagestone")


def printable(text: str) -> str:
    """Text of others for a terminal: what would steer it (escape sequences, control characters) is written out."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def leave(code: int, message: str) -> NoReturn:
    """Print a message on standard error and end with this exit code."""
    typer.echo(f"sagestone: {printable(message)}", err=True)
    raise typer.Exit(code)
