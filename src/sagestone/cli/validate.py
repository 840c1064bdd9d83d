"""`sagestone validate`."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError, ParamValidationError

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.connection import connect_or_start
from sagestone.cli.exits import FAILED, USAGE, leave
from sagestone.cli.follow import ValidationFollower
from sagestone.cli.show import console, show_json, show_sight


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(validate)


def validate(
    spec: Annotated[Path, typer.Argument(help="A CreateAlgorithm request as JSON.")],
    home: Home = None,
    name: Annotated[str | None, typer.Option(help="Register under this name instead of the file's.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Delete an algorithm of that name first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register a specification and see its validation through: what an algorithm author's CI runs.

    Uses the service of this home, or starts one for as long as it takes. Ends with 0 when the algorithm is Completed,
    with 1 and the reason when it Failed, with 2 when the specification was refused.
    """
    request = read_request(spec)
    if name:
        request["AlgorithmName"] = name
    with connect_or_start(settings_of(home)) as (connection, _):
        sagemaker = connection.client("sagemaker")
        follower = ValidationFollower(sagemaker, connection.client("logs"), request.get("AlgorithmName", ""))
        try:
            if replace:
                delete_algorithm(sagemaker, request.get("AlgorithmName", ""))
            sagemaker.create_algorithm(**request)
        except (ClientError, ParamValidationError) as error:
            leave(USAGE, f"{spec} was refused: {error}")
        for sight in follower.follow():
            show_sight(sight, as_json)
        description = follower.description
    description.pop("ResponseMetadata", None)
    items = description["AlgorithmStatusDetails"].get("ValidationStatuses", [])
    if as_json:
        show_json(description)
    else:
        console.print(f"[bold]{description['AlgorithmName']}: {description['AlgorithmStatus']}[/bold]")
    if description["AlgorithmStatus"] != "Completed":
        reasons = "; ".join(item.get("FailureReason", "") for item in items) or "no reason was given"
        leave(FAILED, f"{description['AlgorithmName']} failed its validation: {reasons}")


def read_request(spec: Path) -> dict[str, Any]:
    """The CreateAlgorithm request in a file; leaves with exit code 2 when it is none."""
    try:
        request = json.loads(spec.read_text())
    except OSError as error:
        leave(USAGE, f"{spec} cannot be read: {error.strerror}")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        leave(USAGE, f"{spec} is not JSON: {error}")
    if not isinstance(request, dict):
        leave(USAGE, f"{spec} holds {type(request).__name__}, expected an object with CreateAlgorithm's members")
    return request


def delete_algorithm(sagemaker: Any, name: str, patience_seconds: float = 30.0) -> None:
    """Delete an algorithm and wait until it is gone; one that does not exist is fine."""
    deadline = time.monotonic() + patience_seconds
    try:
        sagemaker.delete_algorithm(AlgorithmName=name)
        while time.monotonic() < deadline:
            sagemaker.describe_algorithm(AlgorithmName=name)
            time.sleep(0.05)
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise
