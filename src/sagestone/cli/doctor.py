"""`sagestone doctor`."""

from typing import Annotated

import typer
from rich.markup import escape

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.exits import UNAVAILABLE
from sagestone.cli.show import console, show_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    home: Home = None,
    as_json: AsJson = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
) -> None:
    """Examine this machine: what works, what is missing and how to get it. Nothing is changed."""
    from sagestone.compose.examine import examine_machine

    findings = examine_machine(settings_of(home))
    if as_json:
        show_json([{"subject": item.subject, "level": item.level, "text": item.text} for item in findings])
    else:
        marks = {"good": "[green]  good[/green]", "warning": "[yellow]  note[/yellow]", "bad": "[red]   bad[/red]"}
        for item in findings:
            console.print(f"{marks[item.level]}  [bold]{escape(item.subject)}[/bold]: {escape(item.text)}")
    levels = {item.level for item in findings}
    if "bad" in levels or (strict and "warning" in levels):
        raise typer.Exit(UNAVAILABLE)
