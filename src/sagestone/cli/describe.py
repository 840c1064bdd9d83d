"""`sagestone describe`."""

from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError, ParamValidationError

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.connection import Connection, connect
from sagestone.cli.exits import FAILED, leave
from sagestone.cli.show import console, for_people, show_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(describe)


def describe(
    name: Annotated[str | None, typer.Argument(help="An algorithm or job; none: list all algorithms.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show an algorithm, training job or transform job, or list the algorithms."""
    connection = connect(settings_of(home))
    document = _list(connection) if name is None else _find(connection, name)
    if as_json:
        show_json(document)
    elif name is not None:
        _show(document)
    else:
        for row in document["AlgorithmSummaryList"]:
            created = row["CreationTime"].strftime("%Y-%m-%d %H:%M:%S")
            console.print(f"{created}  {row['AlgorithmStatus']:<10}  {row['AlgorithmName']}")
        if not document["AlgorithmSummaryList"]:
            console.print("no algorithm is registered; `sagestone demo` registers one")


def _list(connection: Connection) -> dict[str, Any]:
    pages = connection.client("sagemaker").get_paginator("list_algorithms").paginate()
    return {"AlgorithmSummaryList": [row for page in pages for row in page["AlgorithmSummaryList"]]}


def _find(connection: Connection, name: str) -> dict[str, Any]:
    sagemaker = connection.client("sagemaker")
    complaints: list[str] = []
    for operation, key in (
        (sagemaker.describe_algorithm, "AlgorithmName"),
        (sagemaker.describe_training_job, "TrainingJobName"),
        (sagemaker.describe_transform_job, "TransformJobName"),
    ):
        try:
            document: dict[str, Any] = operation(**{key: name.rpartition("/")[2] if "-job/" in name else name})
        except (ClientError, ParamValidationError) as error:
            complaints.append(str(error))
            continue
        document.pop("ResponseMetadata", None)
        return document
    return leave(FAILED, f"no algorithm, training job or transform job is called {name!r} ({complaints[0]})")


def _show(document: dict[str, Any]) -> None:
    """The parts that people look for first; `--json` has the whole."""
    kind = next(kind for kind in ("Algorithm", "TrainingJob", "TransformJob") if f"{kind}Name" in document)
    rows = [("name", document[f"{kind}Name"]), ("arn", document[f"{kind}Arn"]), ("status", document[f"{kind}Status"])]
    if "SecondaryStatus" in document:
        rows.append(("secondary status", document["SecondaryStatus"]))
    if document.get("FailureReason"):
        rows.append(("failure reason", document["FailureReason"]))
    for item in document.get("AlgorithmStatusDetails", {}).get("ValidationStatuses", ()):
        rows.append((f"profile {item['Name']}", f"{item['Status']} {item.get('FailureReason', '')}".strip()))
    if "TrainingSpecification" in document:
        training = document["TrainingSpecification"]
        rows.append(("training image", f"{training['TrainingImage']} {training.get('TrainingImageDigest', '')}"))
    for transition in document.get("SecondaryStatusTransitions", ()):
        seconds = (transition.get("EndTime", transition["StartTime"]) - transition["StartTime"]).total_seconds()
        rows.append((f"  {transition['Status']}", f"{seconds:7.2f} s  {transition.get('StatusMessage', '')}"))
    for metric in document.get("FinalMetricDataList", ()):
        rows.append((f"  {metric['MetricName']}", f"{metric['Value']:g}"))
    if document.get("ModelArtifacts"):
        rows.append(("model", document["ModelArtifacts"]["S3ModelArtifacts"]))
    for label, value in rows:
        console.print(f"[bold]{for_people(label):<20}[/bold] {for_people(value)}")
