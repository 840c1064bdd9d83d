"""How the command line shows things: for people with rich, for programs as JSON."""

import datetime
import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape

from sagestone.cli.sight import Sight

console = Console(highlight=False, soft_wrap=True)
complaints = Console(stderr=True, highlight=False, soft_wrap=True)

_COLOURS = {"Completed": "green", "Failed": "red", "Stopped": "yellow", "MaxRuntimeExceeded": "yellow"}


def clock(at: float) -> str:
    """A time of day with tenths."""
    return datetime.datetime.fromtimestamp(at).strftime("%H:%M:%S.%f")[:10]


def show_json(document: Any) -> None:
    """One JSON document on standard output; times in ISO 8601."""
    json.dump(document, sys.stdout, indent=2, default=_plain)
    sys.stdout.write("\n")


def show_sight(sight: Sight, as_json: bool = False) -> None:
    """One line for one thing that was seen."""
    if as_json:
        line = {
            "kind": sight.kind,
            "at": sight.at,
            "subject": sight.subject,
            "status": sight.status,
            "text": sight.text,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        return
    time = f"[dim]{clock(sight.at)}[/dim]"
    if sight.kind == "log":
        console.print(f"{time}   [dim]{escape(_source(sight.subject)):>9}[/dim] │ {escape(sight.text)}")
    elif sight.kind == "metric":
        console.print(f"{time}   [cyan]   metric[/cyan] │ [cyan]{escape(sight.subject)} = {sight.text}[/cyan]")
    else:
        colour = _COLOURS.get(sight.status, "bold")
        what = {"algorithm": "algorithm", "training": "training job", "transform": "transform job"}[sight.kind]
        text = "" if sight.text == sight.status else f"  {escape(sight.text)}"
        console.print(f"{time} [bold]{what}[/bold] {escape(sight.subject)}: [{colour}]{sight.status}[/{colour}]{text}")


def _source(stream: str) -> str:
    """Who wrote a log stream: `algo-1`, `serve` (an instance of a transform job), or `data-log`."""
    _, _, rest = stream.partition("/")
    if rest.endswith("/data-log"):
        return "data-log"
    return rest.rpartition("-")[0] if rest.startswith("algo-") else "serve"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
