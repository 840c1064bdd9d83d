"""`sagestone version`."""

import typer

from sagestone.cli.app import AsJson
from sagestone.version import VERSION


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(version)


def version(as_json: AsJson = False) -> None:
    """Print the version of Sagestone."""
    if as_json:
        from sagestone.cli.show import show_json

        show_json({"version": VERSION})
    else:
        typer.echo(f"sagestone {VERSION}")
