"""`sagestone logs`."""

import time
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError, ParamValidationError

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.connection import connect
from sagestone.cli.exits import FAILED, leave
from sagestone.cli.show import output_is_wanted, show_sight
from sagestone.cli.sight import Sight
from sagestone.cli.validation_job import validation_job

_GROUPS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs")
_FINAL = ("Completed", "Failed", "Stopped")
_POLL_SECONDS = 0.3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(logs)


def logs(
    job: Annotated[str, typer.Argument(help="A training or transform job, or an algorithm: then its validation jobs.")],
    home: Home = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the jobs have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what the containers of a job wrote, and the data log of a transform job."""
    connection = connect(settings_of(home))
    client, sagemaker = connection.client("logs"), connection.client("sagemaker")
    positions: dict[str, str] = {}
    logged = False
    while True:
        name, unfinished = _job(sagemaker, job)
        for group, stream in _streams(client, name) if name else ():
            logged = True
            _print_new(client, group, stream, positions, as_json)
        if not follow or not unfinished or not output_is_wanted():
            break
        time.sleep(_POLL_SECONDS)
    if not logged and not unfinished:
        leave(FAILED, f"nothing was logged for a job or algorithm called {job!r}")


def _job(sagemaker: Any, asked: str) -> tuple[str, bool]:
    """The job whose output is wanted ("" while there is none), and whether more of it may come.

    `asked` is an algorithm (then its validation's jobs, which share a name) or a job, by name or ARN.
    """
    described = _describe(sagemaker.describe_algorithm, AlgorithmName=asked)
    if described is not None:
        unfinished = described["AlgorithmStatus"] in ("Pending", "InProgress")
        return validation_job(sagemaker, described) or "", unfinished
    name = asked.rpartition("/")[2]
    training = _describe(sagemaker.describe_training_job, TrainingJobName=name)
    transform = _describe(sagemaker.describe_transform_job, TransformJobName=name)
    statuses = [job[f"{kind}JobStatus"] for kind, job in (("Training", training), ("Transform", transform)) if job]
    return name, any(status not in _FINAL for status in statuses)


def _describe(operation: Any, **name: str) -> dict[str, Any] | None:
    try:
        described: dict[str, Any] = operation(**name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":  # no such thing, or no name of one
            return None
        raise
    except ParamValidationError:
        return None
    return described


def _streams(client: Any, job: str) -> list[tuple[str, str]]:
    """Group and name of every stream of a job; a training and a transform job may share a name."""
    found: list[tuple[str, str]] = []
    for group in _GROUPS:
        pages = client.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix=f"{job}/")
        try:
            found += [(group, stream["logStreamName"]) for page in pages for stream in page["logStreams"]]
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "InvalidParameterException"):
                raise
    return found


def _print_new(client: Any, group: str, stream: str, positions: dict[str, str], as_json: bool) -> None:
    while True:
        token = {"nextToken": positions[stream]} if stream in positions else {}
        page = client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        positions[stream] = page["nextForwardToken"]
        if not page["events"]:
            return
        for event in page["events"]:
            sight = Sight(kind="log", at=event["timestamp"] / 1000, subject=stream, text=event["message"])
            show_sight(sight, as_json)
