"""`sagestone drain`."""

import time
from typing import Annotated

import typer

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.connection import Refused, connect
from sagestone.cli.exits import FAILED, leave
from sagestone.cli.show import console, show_json

_LOOK_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(drain)


def drain(
    home: Home = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return only when nothing runs any more.")] = False,
    end: Annotated[bool, typer.Option("--end", help="End it: jobs get instances again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give no further job its instances, so that the machine can be looked after when what runs has ended.

    Requests are answered as ever; new jobs wait. It lasts until --end or until the service is started again.
    """
    connection = connect(settings_of(home))
    try:
        told = connection.ask_sagestone("DrainMachine", {"Draining": not end})
        while wait and not end and told["JobsPlaced"]:
            time.sleep(_LOOK_SECONDS)
            told = connection.ask_sagestone("DrainMachine", {})
            if not told["Draining"]:
                leave(FAILED, "somebody ended the draining meanwhile")
    except Refused as refusal:
        leave(FAILED, str(refusal))
    if as_json:
        show_json({"draining": told["Draining"], "placed": told["JobsPlaced"], "waiting": told["JobsWaiting"]})
    elif end:
        console.print(f"jobs get instances again; {told['JobsWaiting']} wait")
    else:
        console.print(f"draining: {told['JobsPlaced']} jobs or warm pools still there, {told['JobsWaiting']} wait")
