"""`sagestone env`."""

import shlex
from typing import Annotated

import typer

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.identity import keys_in_use
from sagestone.cli.show import show_json
from sagestone.compose.endpoint import running_endpoint

_VARIABLES = (
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(env)


def env(
    home: Home = None,
    as_json: AsJson = False,
    user: Annotated[str | None, typer.Option("--user", help="The keys of this user: NAME or ACCOUNT/NAME.")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Print the lines that take the variables away again.")] = False,
) -> None:
    """Print the variables that point AWS clients at this service: `eval "$(sagestone env)"`.

    boto3, the AWS CLI and the SageMaker SDK then need nothing else. The first keys are made at the first start and kept
    in the home directory, readable by you alone.
    """
    settings = settings_of(home, user=user)
    if unset:
        typer.echo(f"unset {' '.join((*_VARIABLES, 'AWS_ENDPOINT_URL_S3'))}")
        return
    credentials = keys_in_use(settings)
    values = (
        running_endpoint(settings) or f"http://{settings.listen}",
        settings.region,
        settings.region,
        credentials.access_key,
        credentials.secret_key,
    )
    variables = dict(zip(_VARIABLES, values, strict=True))
    if settings.s3_endpoint:
        variables["AWS_ENDPOINT_URL_S3"] = settings.s3_endpoint
    if as_json:
        show_json(variables)
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    typer.echo("unset AWS_SESSION_TOKEN AWS_PROFILE")
    if settings.s3_endpoint:
        typer.echo(f"# objects are at {settings.s3_endpoint}, with keys of its own (setting s3_access_key)")
