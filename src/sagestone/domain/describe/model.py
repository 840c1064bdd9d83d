"""What DescribeModel answers: the stored request, with what the service fills in."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.model import Model


def describe_model(model: Model) -> dict[str, Any]:
    """The DescribeModel answer; times are epoch seconds with milliseconds."""
    request = model.request
    answer: dict[str, Any] = {"ModelName": model.name}
    if request.get("PrimaryContainer") is not None:
        answer["PrimaryContainer"] = _container(request["PrimaryContainer"])
    if request.get("Containers"):
        answer["Containers"] = [_container(each) for each in request["Containers"]]
    for name in ("InferenceExecutionConfig", "ExecutionRoleArn", "VpcConfig"):
        if request.get(name) is not None:
            answer[name] = request[name]
    return {
        **answer,
        "CreationTime": round(model.created_at, 3),
        "ModelArn": model.arn,
        "EnableNetworkIsolation": bool(request.get("EnableNetworkIsolation")),
    }


def _container(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**given, "Mode": given.get("Mode") or "SingleModel", "Environment": given.get("Environment") or {}}
