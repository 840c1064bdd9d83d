"""Sees a validation through for a person or a CI job, also when it is interrupted."""

import typer

from sagestone.cli.exits import command_name
from sagestone.cli.follow import ValidationFollower
from sagestone.cli.show import show_sight


def watch(follower: ValidationFollower, *, own_service: bool, as_json: bool = False) -> None:
    """Show everything until the algorithm's status is final.

    Ctrl-C (or SIGTERM) stops the jobs first when the service is this command's own: nobody would be left to see to
    them. A second one leaves them running. With a service that goes on, they go on.
    """
    try:
        for sight in follower.follow():
            show_sight(sight, as_json)
    except KeyboardInterrupt:
        if own_service:
            typer.echo("sagestone: interrupted; stopping the job (Ctrl-C again leaves it running)", err=True)
            follower.abandon()
        else:
            name = follower.algorithm
            typer.echo(f"sagestone: interrupted; the validation goes on: {command_name()} logs {name} -f", err=True)
        raise
