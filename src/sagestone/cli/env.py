"""`sagestone env`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.identity import keys_in_use
from sagestone.compose.endpoint import running_endpoint
from sagestone.settings import Settings

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
        typer.echo(f"unset {' '.join((*_VARIABLES, 'AWS_ENDPOINT_URL_S3', 'AWS_CA_BUNDLE'))}")
        return
    credentials = keys_in_use(settings)
    values = (
        running_endpoint(settings) or _endpoint_to_be(settings),
        settings.region,
        settings.region,
        credentials.access_key,
        credentials.secret_key,
    )
    variables = dict(zip(_VARIABLES, values, strict=True))
    if settings.s3_endpoint:
        variables["AWS_ENDPOINT_URL_S3"] = settings.s3_endpoint
    if settings.tls_ca:
        variables["AWS_CA_BUNDLE"] = str(Path(settings.tls_ca).expanduser().absolute())
    if as_json:
        from sagestone.cli.show import show_json

        show_json(variables)
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    typer.echo("unset AWS_SESSION_TOKEN AWS_PROFILE")
    if settings.tls_certificate and not settings.tls_ca:
        typer.echo("# where clients do not know who signed the certificate: export AWS_CA_BUNDLE=/path/to/ca.pem")
        typer.echo("# (or set tls_ca, and this command does)")
    if settings.s3_endpoint:
        typer.echo(f"# objects are at {settings.s3_endpoint}, with keys of its own (setting s3_access_key)")


def _endpoint_to_be(settings: Settings) -> str:
    """Where the service will listen when it is started."""
    host = f"[{settings.known_host}]" if ":" in settings.known_host else settings.known_host
    return f"{'https' if settings.tls_certificate else 'http'}://{host}:{settings.port}"
