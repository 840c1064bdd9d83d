"""Whether a transform job, as the API and S3 show it, is what its container answered."""

from collections.abc import Iterator
from typing import Any

from tests.crash.client import Client
from tests.crash.data import BATCH

_GROUP = "/aws/sagemaker/TransformJobs"


def complaints(
    client: Client, job: dict[str, Any], objects: dict[str, bytes], model: dict[str, str], *, had_room: bool
) -> Iterator[str]:
    """What is not as it must be. `objects`: those below its output path; `model`: digests of the files trained.

    Where there was no room for them (`had_room`) log lines may be missing.
    """
    name, completed = job["TransformJobName"], job["TransformJobStatus"] == "Completed"
    lines = [line for lines in client.log_lines(_GROUP, name).values() for line in lines]
    tokens = [line.split()[1] for line in lines if line.startswith("start ")]
    if len(tokens) > 1 or (completed and had_room and not tokens):
        yield f"its container ran {len(tokens)} times, by its log"
    served = dict(line.split()[1:] for line in lines if line.startswith("model "))
    if completed and served != model and (had_room or served):
        yield f"it served {served}, trained was {model}"
    prefix = job["TransformOutput"]["S3OutputPath"].split("/", 3)[3]
    expected = {f"{prefix}/{key.removeprefix('batch/')}.out": body for key, body in BATCH.items()}
    if set(objects) - set(expected):
        yield f"objects that nobody made: {sorted(set(objects) - set(expected))}"
    if completed and set(objects) != set(expected):
        yield f"outputs are missing: {sorted(set(expected) - set(objects))}"
    answering = set()
    for key, body in expected.items():
        answers = [line.rpartition(b";") for line in objects.get(key, b"").splitlines()]
        answering |= {token.decode() for _, _, token in answers}
        if key in objects and [record for record, _, _ in answers] != body.splitlines():
            yield f"{key} is not whole: {objects[key][:300]!r}"
    if len(answering) > 1 or (had_room and not answering <= set(tokens)):
        yield f"containers that answered: {sorted(answering)}, that were started: {tokens}"
