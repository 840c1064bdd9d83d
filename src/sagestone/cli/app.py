"""The commands of `sagestone` and what they share."""

import io
import logging
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from sagestone.cli.exits import HELP, INTERRUPTED, USAGE, leave
from sagestone.settings import BadSetting, Settings, read_settings

app = typer.Typer(
    name="sagestone",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=HELP,
    help="""SageMaker algorithms on your own machines: register them with any AWS client, have them really validated.

Start with **sagestone demo**, or: **sagestone up** in one terminal, then in another

- eval "$(sagestone env)"

- aws sagemaker list-algorithms
""",
)

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Where everything is kept; default $SAGESTONE_HOME, else ~/.local/share/sagestone."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


@app.callback()
def _group() -> None:
    """Makes `sagestone` a group of commands even when a single one was imported."""


def settings_of(home: Path | None, **explicit: Any) -> Settings:
    """The settings for this command; leaves with exit code 2 when one cannot be used."""
    try:
        return read_settings(home=home, **explicit)
    except BadSetting as error:
        leave(USAGE, str(error))


#: Each command's module; only the one that is asked for is imported, so that it begins soon. `--help` imports them all:
#: so what is heavy is imported where a command needs it, not where its module begins (tests/system/test_lean_start.py).
_COMMANDS = (
    *("up", "env", "demo", "validate", "explain", "describe", "logs", "interrupt", "drain", "doctor", "image"),
    *("backup", "restore", "clean", "user", "account", "policy", "version"),
)

#: Commands whose module is called otherwise.
_MODULES = {"restore": "backup"}


def run() -> None:
    """Run the command line; every foreseeable error ends in one sentence and a documented exit code."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    modules = [_MODULES.get(name, name) for name in ([asked] if asked in _COMMANDS else _COMMANDS)]
    for name in dict.fromkeys(modules):
        import_module(f"sagestone.cli.{name}").register(app)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    _prepare_process()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            sys.exit(0)  # the reader of our output had enough: `sagestone … | head`
        raise
    except Exception as error:
        from sagestone.cli.failures import foreseen

        ending = foreseen(error)
        if ending is None:
            raise
        typer.echo(f"sagestone: {ending[1]}", err=True)
        sys.exit(ending[0])


def _prepare_process() -> None:
    """Output never fails for a character; SIGTERM and SIGHUP stop what was started, as Ctrl-C does."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where the descriptor is closed
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
