"""How mini-batches are made and sent: what the request says, else the container, else the defaults."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from sagestone.domain.transform_job import TransformJobSpec

BatchStrategy = Literal["SingleRecord", "MultiRecord"]

#: Both spellings occur: the API's, and the one of environment variables and of containers.
_STRATEGIES: dict[str, BatchStrategy] = {
    "SingleRecord": "SingleRecord",
    "MultiRecord": "MultiRecord",
    "SINGLE_RECORD": "SingleRecord",
    "MULTI_RECORD": "MultiRecord",
}
UPPER: dict[BatchStrategy, str] = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What holds for this job; `max_payload_mb` 0 means unlimited, sent in chunks."""

    max_concurrent_transforms: int = 1
    max_payload_mb: int = 6
    batch_strategy: BatchStrategy = "MultiRecord"

    def line(self) -> str:
        """The first line of the data log."""
        return (
            f"MaxConcurrentTransforms={self.max_concurrent_transforms}, MaxPayloadInMB={self.max_payload_mb}, "
            f"BatchStrategy={UPPER[self.batch_strategy]}"
        )


def effective(job: TransformJobSpec, answer: bytes | None) -> tuple[Parameters, list[str]]:
    """The parameters, each from the request, else the container's `/execution-parameters`, else the default.

    `answer` is the body of the container's 200, None where it gave none. The second value says in sentences what of it
    was ignored, and why. MaxConcurrentTransforms 0 in a request leaves it to the container.
    """
    document, ignored = _document(answer)
    concurrent = _number(document, "MaxConcurrentTransforms", 1, ignored)
    payload = _number(document, "MaxPayloadInMB", 0, ignored)
    strategy = _strategy(document, ignored)
    default = Parameters()
    return (
        Parameters(
            max_concurrent_transforms=job.max_concurrent_transforms or concurrent or default.max_concurrent_transforms,
            max_payload_mb=_first(job.max_payload_mb, payload, default.max_payload_mb),
            batch_strategy=job.batch_strategy or strategy or default.batch_strategy,
        ),
        ignored,
    )


def environment(job: TransformJobSpec) -> dict[str, str]:
    """What the container is told of its job: SAGEMAKER_BATCH, and of the parameters those that the request gave."""
    variables = {"SAGEMAKER_BATCH": "true"}
    if job.max_payload_mb is not None:
        variables["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(job.max_payload_mb)
    if job.batch_strategy is not None:
        variables["SAGEMAKER_BATCH_STRATEGY"] = UPPER[job.batch_strategy]
    if job.max_concurrent_transforms:
        variables["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(job.max_concurrent_transforms)
    return variables


def _document(answer: bytes | None) -> tuple[dict[str, Any], list[str]]:
    if answer is None:
        return {}, []
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError) as error:
        return {}, [f"/execution-parameters is ignored: its answer is not JSON: {error}"]
    if not isinstance(document, dict):
        return {}, ["/execution-parameters is ignored: its answer is not a JSON object"]
    return document, []


def _number(document: dict[str, Any], name: str, least: int, ignored: list[str]) -> int | None:
    value = document.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 5:
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and least <= value <= 100):
        return value
    ignored.append(f"/execution-parameters: {name}={_shown(value)} is ignored: expected a number from {least} to 100")
    return None


def _strategy(document: dict[str, Any], ignored: list[str]) -> BatchStrategy | None:
    value = document.get("BatchStrategy")
    if value is None or (isinstance(value, str) and value in _STRATEGIES):
        return None if value is None else _STRATEGIES[value]
    ignored.append(
        f"/execution-parameters: BatchStrategy={_shown(value)} is ignored: expected MULTI_RECORD or SINGLE_RECORD"
    )
    return None


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _shown(value: Any) -> str:
    return json.dumps(value)[:100]
