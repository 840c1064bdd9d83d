"""A full CreateAlgorithm request, about 5 KB, that starts no job."""

import json
from pathlib import Path
from typing import Any

from bench.service import IMAGE


def create_request(name: str) -> dict[str, Any]:
    """The example's request under another name, without its profile, on the tiny image."""
    path = Path(__file__).parents[1] / "examples" / "random-forest" / "algorithm.json"
    request: dict[str, Any] = json.loads(path.read_text())
    del request["ValidationSpecification"]
    request["AlgorithmName"] = name
    request["TrainingSpecification"]["TrainingImage"] = IMAGE
    request["InferenceSpecification"]["Containers"] = [{"Image": IMAGE}]
    return request
