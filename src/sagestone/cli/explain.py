"""`sagestone explain`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.exits import USAGE, leave, printable
from sagestone.cli.show import console, show_json
from sagestone.cli.spec_file import read_request

_LONGEST = 2000  # characters of a violation for people; it may quote a value of megabytes


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
    from sagestone.compose.explanation import explain_request

    explanation = explain_request(settings_of(home), read_request(spec))
    if as_json:
        show_json(explanation)
    else:
        for title, document in explanation["documents"].items():
            console.print(f"[bold]{title}[/bold]")
            console.print_json(data=document)
        for violation in explanation["violations"]:
            shown = (
                violation if len(violation) <= _LONGEST else f"{violation[:_LONGEST]}… ({len(violation)} characters)"
            )
            console.print(f"[red]violation[/red] {escape(printable(shown))}")
    if explanation["violations"]:
        leave(USAGE, f"{spec} would be refused: {len(explanation['violations'])} violation(s)")
