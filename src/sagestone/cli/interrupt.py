"""`sagestone interrupt`."""

from typing import Annotated

import typer

from sagestone.cli.app import Home, settings_of
from sagestone.cli.connection import Refused, connect
from sagestone.cli.exits import FAILED, leave
from sagestone.cli.show import console, for_people


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(interrupt)


def interrupt(
    name: Annotated[str, typer.Argument(help="A training job with EnableManagedSpotTraining that runs.")],
    home: Home = None,
) -> None:
    """Take a spot training job's instances away, as AWS does when it needs them: it runs again from its checkpoints.

    The containers get SIGTERM, the last checkpoints are kept, and the job goes through Interrupted to its next run.
    """
    try:
        connect(settings_of(home)).ask_sagestone("InterruptTrainingJob", {"TrainingJobName": name})
    except Refused as refusal:
        leave(FAILED, str(refusal))
    console.print(f"{for_people(name)} is interrupted; `sagestone describe {for_people(name)}` shows its next run")
