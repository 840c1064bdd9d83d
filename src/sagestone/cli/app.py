"""The commands of `sagestone` and what they share."""

import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sagestone.cli.exits import HELP, INTERRUPTED, UNAVAILABLE, USAGE, leave
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

    eval "$(sagestone env)"
    aws sagemaker list-algorithms
""",
)

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Where everything is kept; default $SAGESTONE_HOME, else ~/.local/share/sagestone."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def settings_of(home: Path | None, **explicit: Any) -> Settings:
    """The settings for this command; leaves with exit code 2 when one cannot be used."""
    try:
        return read_settings(home=home, **explicit)
    except BadSetting as error:
        leave(USAGE, str(error))


def run() -> None:
    """Run the command line; every foreseeable error ends in one sentence and a documented exit code."""
    from sagestone.cli import demo, describe, doctor, env, explain, image, logs, up, validate, version

    for module in (up, env, demo, validate, explain, describe, logs, doctor, version):
        module.register(app)
    app.add_typer(image.app, name="image")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)  # the reader of our output had enough: `sagestone … | head`
    except ConnectionError as error:
        typer.echo(f"sagestone: the service cannot be reached: {error}", err=True)
        sys.exit(UNAVAILABLE)
