"""`sagestone logs`."""

import time
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.connection import connect
from sagestone.cli.exits import FAILED, leave
from sagestone.cli.show import show_sight
from sagestone.cli.sight import Sight

_GROUPS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs")
_FINAL = ("Completed", "Failed", "Stopped")


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
    if not (_streams(client, job) or _unfinished(sagemaker, job)):
        leave(FAILED, f"nothing was logged for a job or algorithm called {job}")
    while True:
        unfinished = _unfinished(sagemaker, job)
        for group, stream in _streams(client, job):
            _print_new(client, group, stream, positions, as_json)
        if not follow or not unfinished:
            return
        time.sleep(0.3)


def _streams(client: Any, job: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for group in _GROUPS:
        try:
            pages = client.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix=job)
            found += [(group, stream["logStreamName"]) for page in pages for stream in page["logStreams"]]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
    return [(group, stream) for group, stream in found if stream.startswith((f"{job}/", f"{job}-"))]


def _unfinished(sagemaker: Any, job: str) -> bool:
    """Whether a job of this name, or an algorithm of this name, has not ended."""
    try:
        return sagemaker.describe_algorithm(AlgorithmName=job)["AlgorithmStatus"] in ("Pending", "InProgress")
    except ClientError:
        for kind, operation in (
            ("TrainingJob", sagemaker.describe_training_job),
            ("TransformJob", sagemaker.describe_transform_job),
        ):
            try:
                return operation(**{f"{kind}Name": job})[f"{kind}Status"] not in _FINAL
            except ClientError:
                continue
    return False


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
