"""`sagestone demo`: the main job, from an image to predictions, with plain boto3 calls."""

import json
import os
import shlex
import time
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from sagestone.cli.app import Home, settings_of
from sagestone.cli.connection import Connection, connect_or_start
from sagestone.cli.demo_data import Digits, read_digits, read_predictions, upload_digits
from sagestone.cli.exits import FAILED, USAGE, command_name, leave
from sagestone.cli.follow import ValidationFollower
from sagestone.cli.show import clock, console
from sagestone.cli.validate import delete_algorithm
from sagestone.cli.watch import watch
from sagestone.compose.images import open_images
from sagestone.containers.runtime import ImageNotFound
from sagestone.image_build.build import build_image
from sagestone.image_build.recipe import Recipe, read_recipe
from sagestone.settings import Settings, default_home


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    home: Home = None,
    runtime: Annotated[str | None, typer.Option(help="auto, engine or sandbox.")] = None,
    image: Annotated[
        str | None, typer.Option(help="Use this image, made from the example's Dockerfile, instead of building one.")
    ] = None,
) -> None:
    """Register a real algorithm with boto3, validate it in containers, and look at what came out.

    Builds the image of examples/random-forest, uploads the handwritten digits that ship inside scikit-learn, sends
    CreateAlgorithm with a full validation profile, follows the training job and the batch transform, and compares the
    predictions with the truth. Ends by itself; a second run finds the image ready.
    """
    settings = settings_of(home, runtime=runtime)
    began = time.monotonic()
    recipe, request = _example()
    with connect_or_start(settings) as (connection, service):
        _say(f"the service listens on {connection.endpoint} and keeps everything in {settings.home}")
        if service is not None:
            _say(f"containers run with {service.runtime_sentence}; objects are stored in {service.s3_sentence}")
        elif runtime:
            leave(
                USAGE, f"--runtime cannot be chosen: the service runs already, at {connection.endpoint}; stop it first"
            )
        if image:
            request["TrainingSpecification"]["TrainingImage"] = image
            request["InferenceSpecification"]["Containers"][0]["Image"] = image
        else:
            _ensure_image(settings, recipe)
        digits = _upload(connection, recipe, settings)
        follower = _validate(connection, request, own_service=service is not None)
        _report(connection, follower, digits)
    left = "nothing is left running" if service is not None else "the service goes on"
    console.print(f"\ndone in {time.monotonic() - began:.1f} s; {left}. Next:\n")
    for line in _next_commands(settings, is_running=service is None):
        console.print(f"  {escape(line)}")


def _next_commands(settings: Settings, is_running: bool) -> list[str]:
    """Lines to paste: how to look, an AWS CLI call, how to stop."""
    at = "" if settings.home == default_home(os.environ) else f" --home {shlex.quote(str(settings.home))}"
    name = command_name()
    lines = [
        (f"{name} up{at} & sleep 3", "the service, in the background"),
        (f"{name} logs random-forest{at}", "look at what the containers wrote"),
        (f'eval "$({name} env{at})"', "then any AWS client:"),
        ("aws sagemaker describe-algorithm --algorithm-name random-forest", ""),
        ("kill %1", "stop the service"),
    ]
    if is_running:
        lines = [*lines[1:-1], ("", "the service is stopped by Ctrl-C where it runs")]
    return [f"{command:<40}{f'# {why}' if why else ''}".rstrip() for command, why in lines]


def _example() -> tuple[Recipe, dict[str, Any]]:
    """The example's recipe and request: of the checkout, or as installed with the package."""
    installed = Path(str(files("sagestone"))) / "examples" / "random-forest"
    checkout = Path(__file__).parents[3] / "examples" / "random-forest"
    directory = installed if installed.exists() else checkout
    return read_recipe(directory), json.loads((directory / "algorithm.json").read_text())


def _ensure_image(settings: Settings, recipe: Recipe) -> None:
    """Build the example's image and load it, unless the runtime holds that very image."""
    with console.status("building the image"):
        built = build_image(recipe, settings.home / "cache" / "images", _say)
    images = open_images(settings)
    try:
        if images.get(built.name).id == built.id:
            _say(f"the image {built.name} is there: {built.id[:19]}…")
            return
    except ImageNotFound:
        pass  # the usual case at the first run
    with console.status(f"loading {built.name}"):
        images.load(built.archive)
    _say(f"the image {built.name} was built and loaded: {built.id[:19]}…")


def _upload(connection: Connection, recipe: Recipe, settings: Settings) -> Digits:
    digits = read_digits(recipe, settings.home / "cache" / "images")
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("uploading", total=7)
        count = upload_digits(connection.client("s3"), digits, lambda: progress.advance(bar))
    sizes = f"{len(digits.train)} / {len(digits.validation)} / {len(digits.batch)}"
    _say(f"uploaded {count} objects with boto3: {sizes} rows to train, to validate, to predict")
    return digits


def _validate(connection: Connection, request: dict[str, Any], *, own_service: bool) -> ValidationFollower:
    sagemaker = connection.client("sagemaker")
    delete_algorithm(sagemaker, request["AlgorithmName"])
    arn = sagemaker.create_algorithm(**request)["AlgorithmArn"]
    _say(f"boto3 sent CreateAlgorithm: {arn}\n")
    follower = ValidationFollower(sagemaker, connection.client("logs"), request["AlgorithmName"])
    watch(follower, own_service=own_service)
    return follower


def _report(connection: Connection, follower: ValidationFollower, digits: Digits) -> None:
    description = follower.description
    if description["AlgorithmStatus"] != "Completed":
        item = description["AlgorithmStatusDetails"]["ValidationStatuses"][0]
        leave(FAILED, f"the validation failed: {item.get('FailureReason')}")
    training, transform = follower.jobs["training"], follower.jobs["transform"]
    console.print("\n[bold]time line[/bold]")
    console.print(f"  {clock(description['CreationTime'].timestamp())}  algorithm created")
    for transition in training["SecondaryStatusTransitions"]:
        seconds = (transition.get("EndTime", transition["StartTime"]) - transition["StartTime"]).total_seconds()
        console.print(
            f"  {clock(transition['StartTime'].timestamp())}  training: {transition['Status']} ({seconds:.1f} s)"
        )
    seconds = (transform["TransformEndTime"] - transform["CreationTime"]).total_seconds()
    console.print(f"  {clock(transform['CreationTime'].timestamp())}  transform ({seconds:.1f} s)")
    console.print(f"  {clock(transform['TransformEndTime'].timestamp())}  predictions are in S3")
    console.print("[bold]final metrics[/bold]")
    for metric in training["FinalMetricDataList"]:
        console.print(f"  {metric['MetricName']:<22} {metric['Value']:.4f}")
    console.print(f"[bold]model[/bold]\n  {training['ModelArtifacts']['S3ModelArtifacts']}")
    pairs = read_predictions(connection.client("s3"), digits)
    console.print("[bold]predictions beside the truth[/bold]")
    console.print("  truth      " + " ".join(str(truth) for truth, _ in pairs[:20]))
    console.print("  predicted  " + " ".join(str(answer) for _, answer in pairs[:20]))
    right = sum(truth == answer for truth, answer in pairs)
    console.print(f"  {right} of {len(pairs)} are right: accuracy {right / len(pairs):.4f}")


def _say(text: str) -> None:
    console.print(f"[bold]▸[/bold] {text}", highlight=False)
