"""`sagestone env`."""

import json
import shlex
from typing import Annotated

import typer

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.compose.endpoint import running_endpoint
from sagestone.wire.credentials import CredentialBook


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(env)


def env(
    home: Home = None,
    as_json: AsJson = False,
    unset: Annotated[bool, typer.Option("--unset", help="Print the lines that take the variables away again.")] = False,
) -> None:
    """Print the variables that point AWS clients at this service: `eval "$(sagestone env)"`.

    boto3, the AWS CLI and the SageMaker SDK then need nothing else. The keys are made at the first start and kept
    in the home directory, readable by you alone.
    """
    settings = settings_of(home)
    credentials = CredentialBook.open(settings.home, settings.account).default
    variables = {
        "AWS_ENDPOINT_URL": running_endpoint(settings) or f"http://{settings.listen}",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
    }
    if as_json:
        typer.echo(json.dumps(variables, indent=2))
        return
    for name, value in variables.items():
        typer.echo(f"unset {name}" if unset else f"export {name}={shlex.quote(value)}")
    if not unset:
        typer.echo("unset AWS_SESSION_TOKEN AWS_PROFILE")
