"""Whether a transform job, as the API and S3 show it, is what its container answered."""

from collections.abc import Iterator
from typing import Any

from tests.crash.client import Client
from tests.crash.data import BATCH
from tests.crash.scenario import Scenario

_GROUP = "/aws/sagemaker/TransformJobs"


def complaints(
    client: Client,
    scenario: Scenario,
    job: dict[str, Any],
    objects: dict[str, bytes],
    model: dict[str, str],
    *,
    heard_all: bool,
) -> Iterator[str]:
    """What is not as it must be. `objects`: those below its output path; `model`: digests of the files trained.

    Unless all that it wrote was kept (`heard_all`) log lines may be missing.
    """
    name, completed = job["TransformJobName"], job["TransformJobStatus"] == "Completed"
    streams = client.log_lines(_GROUP, name)
    started = {}
    for stream, lines in streams.items():
        tokens = [line.split()[1] for line in lines if line.startswith("start ")]
        if len(tokens) > 1:
            yield f"the container of {stream} ran {len(tokens)} times, by its log"
        served = dict(line.split()[1:] for line in lines if line.startswith("model "))
        if completed and tokens and served != model and (heard_all or served):
            yield f"the container of {stream} served {served}, trained was {model}"
        if tokens:
            started[stream] = tokens[0]
    if completed and heard_all and len(started) != scenario.transforms * scenario.containers:
        yield f"there are containers {sorted(started)}"
    prefix = job["TransformOutput"]["S3OutputPath"].split("/", 3)[3]
    expected = {f"{prefix}/{key.removeprefix('batch/')}.out": body for key, body in BATCH.items()}
    if set(objects) - set(expected):
        yield f"objects that nobody made: {sorted(set(objects) - set(expected))}"
    if completed and set(objects) != set(expected):
        yield f"outputs are missing: {sorted(set(expected) - set(objects))}"
    chains = set()
    for key, body in expected.items():
        answers = [line.split(b";") for line in objects.get(key, b"").splitlines()]
        chains |= {b" ".join(chain).decode() for _, *chain in answers}
        if key in objects and [record for record, *_ in answers] != body.splitlines():
            yield f"{key} is not whole: {objects[key][:300]!r}"
    answering = [token for chain in chains for token in chain.split()]
    if len(chains) > scenario.transforms or len(set(answering)) != len(answering):
        yield f"containers that answered: {sorted(chains)}"  # each instance has its own, and keeps them
    if any(len(chain.split()) != scenario.containers for chain in chains):
        yield f"answers went through {sorted(chains)}, not through {scenario.containers} containers"
    if heard_all and not set(answering) <= set(started.values()):
        yield f"containers that answered: {sorted(chains)}, that were started: {started}"
