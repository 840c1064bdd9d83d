"""`sagestone clean`."""

from typing import Annotated

import typer

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.connection import Refused, connect_or_start
from sagestone.cli.exits import FAILED, leave
from sagestone.cli.show import console, for_people, show_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(clean)


def clean(
    home: Home = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take away what the settings (retention_…) say need not be kept, and what dead processes left behind.

    The service does so by itself every hour. What a running job or a registered algorithm needs always stays.
    """
    with connect_or_start(settings_of(home)) as (connection, _):
        try:
            told = connection.ask_sagestone("CleanHome", {"DryRun": dry_run})
        except Refused as refusal:
            leave(FAILED, str(refusal))
    if as_json:
        gone = [{"kind": each["Kind"], "name": each["Name"], "bytes": each["Bytes"]} for each in told["Gone"]]
        show_json({"count": told["Count"], "bytes": told["Bytes"], "gone": gone})
        return
    for each in told["Gone"]:
        console.print(f"  {each['Kind']}  {for_people(each['Name'])}  {each['Bytes'] / 1e6:.1f} MB")
    what = "would go" if dry_run else "went"
    console.print(f"{told['Count']} things {what}, {told['Bytes'] / 1e6:.1f} MB")
