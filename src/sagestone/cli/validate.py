"""`sagestone validate`."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError, ParamValidationError

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.connection import connect_or_start
from sagestone.cli.exits import FAILED, USAGE, leave
from sagestone.cli.follow import ValidationFollower
from sagestone.cli.show import console, show_json_line
from sagestone.cli.spec_file import read_request
from sagestone.cli.watch import watch


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
    with 1 and the reason when it Failed, with 2 when the specification was refused. With --json every line is one JSON
    object; the last has the kind `result` and the whole description. Ctrl-C stops the job when the service is its own.
    """
    request = read_request(spec)
    if name:
        request["AlgorithmName"] = name
    with connect_or_start(settings_of(home)) as (connection, service):
        sagemaker = connection.client("sagemaker")
        follower = ValidationFollower(sagemaker, connection.client("logs"), request.get("AlgorithmName", ""))
        try:
            if replace:
                delete_algorithm(sagemaker, request.get("AlgorithmName", ""))
            sagemaker.create_algorithm(**request)
        except (ClientError, ParamValidationError) as error:
            leave(USAGE, f"{spec} was refused: {error}")
        except TypeError as error:  # a member by the name of a parameter of boto3's own
            leave(USAGE, f"{spec} was refused by boto3: {error}")
        watch(follower, own_service=service is not None, as_json=as_json)
        description = follower.description
    _end(description, as_json)


def _end(description: dict[str, Any], as_json: bool) -> None:
    """Print the result; leaves with exit code 1 and the reason unless it is Completed."""
    description.pop("ResponseMetadata", None)
    name, status = description["AlgorithmName"], description["AlgorithmStatus"]
    items = description.get("AlgorithmStatusDetails", {}).get("ValidationStatuses", [])
    reasons = "; ".join(item["FailureReason"] for item in items if item.get("FailureReason"))
    if as_json:
        result = {"kind": "result", "at": time.time(), "subject": name, "status": status, "text": reasons}
        show_json_line({**result, "description": description})
    else:
        console.print(f"[bold]{name}: {status}[/bold]")
    if status != "Completed":
        leave(FAILED, f"{name} failed its validation: {reasons or 'no reason was given'}")


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
