"""Exit codes of the command line, the same for every command."""

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


def leave(code: int, message: str) -> NoReturn:
    """Print a message on standard error and end with this exit code."""
    typer.echo(f"sagestone: {message}", err=True)
    raise typer.Exit(code)
