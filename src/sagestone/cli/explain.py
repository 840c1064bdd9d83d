"""`sagestone explain`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.exits import USAGE, leave
from sagestone.cli.show import console, show_json
from sagestone.cli.validate import read_request
from sagestone.compose.explanation import explain_request


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(explain)


def explain(
    spec: Annotated[Path, typer.Argument(help="A CreateAlgorithm request as JSON.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Dry run: print every document that a specification would become, and every violation. Nothing is executed.

    The documents are the algorithm, the validation plan with its jobs, and the assignment of each instance.
    """
    explanation = explain_request(settings_of(home), read_request(spec))
    if as_json:
        show_json(explanation)
    else:
        for title, document in explanation["documents"].items():
            console.print(f"[bold]{title}[/bold]")
            console.print_json(data=document)
        for violation in explanation["violations"]:
            console.print(f"[red]violation[/red] {escape(violation)}")
    if explanation["violations"]:
        leave(USAGE, f"{spec} would be refused: {len(explanation['violations'])} violation(s)")
