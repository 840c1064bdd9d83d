"""How the command line shows things: for people with rich, for programs as JSON."""

import datetime
import json
import os
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape

from sagestone.cli.exits import printable
from sagestone.cli.sight import Sight


class _Output(Console):
    """Standard output; when its reader has had enough (`| head`) the command goes on without it."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


console = _Output(highlight=False, soft_wrap=True)
complaints = Console(stderr=True, highlight=False, soft_wrap=True)

_COLOURS = {"Completed": "green", "Failed": "red", "Stopped": "yellow", "MaxRuntimeExceeded": "yellow"}


def clock(at: float) -> str:
    """A time of day with tenths."""
    return datetime.datetime.fromtimestamp(at).strftime("%H:%M:%S.%f")[:10]


def show_json(document: Any) -> None:
    """One JSON document on standard output; times in ISO 8601."""
    _write(json.dumps(document, indent=2, default=_plain))


def show_json_line(document: Any) -> None:
    """One JSON document on a line of its own."""
    _write(json.dumps(document, default=_plain))


def output_is_wanted() -> bool:
    """Whether somebody still reads standard output."""
    return not console.quiet


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
        show_json_line(line)
        return
    time = f"[dim]{clock(sight.at)}[/dim]"
    if sight.kind == "log":
        console.print(f"{time}   [dim]{escape(_source(sight.subject)):>9}[/dim] │ {for_people(sight.text)}")
    elif sight.kind == "metric":
        console.print(f"{time}   [cyan]   metric[/cyan] │ [cyan]{for_people(sight.subject)} = {sight.text}[/cyan]")
    else:
        colour = _COLOURS.get(sight.status, "bold")
        what = {"algorithm": "algorithm", "training": "training job", "transform": "transform job"}[sight.kind]
        text = "" if sight.text in ("", sight.status) else f"  {for_people(sight.text)}"
        console.print(f"{time} [bold]{what}[/bold] {escape(sight.subject)}: [{colour}]{sight.status}[/{colour}]{text}")


def for_people(text: str) -> str:
    """Text of others as rich prints it unchanged: no markup in it counts, nothing steers the terminal."""
    return escape(printable(text))


def _write(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        console.on_broken_pipe()


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
