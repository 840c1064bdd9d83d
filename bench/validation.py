"""From CreateAlgorithm to Completed, beside the same train, serve and posts done by hand in the same runtime."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3

from bench.by_hand import run_by_hand
from bench.report import Figure, at_most, median, show
from bench.service import RunningService, service
from sagestone.agent.build import build_runtime
from sagestone.agent.parts import RuntimePart
from sagestone.cli.demo_data import Digits, read_digits, upload_digits
from sagestone.image_build.build import build_image
from sagestone.image_build.recipe import read_recipe

_ROUNDS = 3
_EXAMPLE = Path(__file__).parents[1] / "examples" / "random-forest"


def main() -> None:
    """Measure in rounds, each beside the other, and print the medians."""
    recipe = read_recipe(_EXAMPLE)
    whole, by_hand = [], []
    cache = Path(tempfile.gettempdir()) / "sagestone-bench-images"
    built = build_image(recipe, cache, print)
    digits = read_digits(recipe, cache)
    with service() as running:
        runtime = build_runtime(RuntimePart(kind="sandbox", directory=str(running.home / "sandbox")))
        runtime.load_archive(built.archive)
        image = runtime.image(built.name).digest
        upload_digits(_client(running, "s3"), digits, lambda: None)
        for number in range(_ROUNDS):
            by_hand.append(run_by_hand(runtime, image, _channels(digits), _batch(digits)))
            whole.append(_validate(running, f"bench-{number}"))
    differences = [one - other for one, other in zip(whole, by_hand, strict=True)]
    show(
        "the example's validation (sandbox runtime, median of 3 rounds)",
        [
            Figure(name="train, serve and posts by hand", value=median(by_hand), unit="s"),
            Figure(name="CreateAlgorithm to Completed", value=median(whole), unit="s"),
            at_most("overhead of the whole validation", median(differences), "s", 2.0),
        ],
    )


def _validate(running: RunningService, name: str) -> float:
    request = json.loads((_EXAMPLE / "algorithm.json").read_text())
    request["AlgorithmName"] = name
    sagemaker = _client(running, "sagemaker")
    began = time.perf_counter()
    sagemaker.create_algorithm(**request)
    while True:
        description = sagemaker.describe_algorithm(AlgorithmName=name)
        if description["AlgorithmStatus"] not in ("Pending", "InProgress"):
            break
        time.sleep(0.02)
    if description["AlgorithmStatus"] != "Completed":
        raise RuntimeError(f"the validation failed: {description['AlgorithmStatusDetails']}")
    return time.perf_counter() - began


def _client(running: RunningService, name: str) -> Any:
    session = boto3.Session(
        aws_access_key_id=running.keys[0], aws_secret_access_key=running.keys[1], region_name="us-east-1"
    )
    return session.client(name, endpoint_url=running.endpoint)


def _channels(digits: Digits) -> dict[str, str]:
    parts = {"train": digits.train, "validation": digits.validation}
    return {name: "".join(f"{digit},{row}\n" for digit, row in rows) for name, rows in parts.items()}


def _batch(digits: Digits) -> list[str]:
    half = len(digits.batch) // 2
    return ["".join(f"{row}\n" for _, row in rows) for rows in (digits.batch[:half], digits.batch[half:])]
