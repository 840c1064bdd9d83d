"""What each container of a transform instance is given of its own: name, network, model directory, log."""

from collections.abc import Collection
from pathlib import Path

from sagestone.agent.serving_container import Role
from sagestone.agent.tools import Tools
from sagestone.domain.assignment import TransformAssignment
from sagestone.job_logs.writer import LogWriter


def roles(assignment: TransformAssignment, tools: Tools, network: str | None) -> tuple[Role, ...]:
    """The roles of the job's containers, in order; `network` connects those of a pipeline.

    The only container has the instance's host name, no network at all, and writes to the instance's stream. In a
    pipeline each has its ContainerHostname (else `container-<n>`), and a stream of that name below.
    """
    containers = assignment.job.containers
    if len(containers) == 1:
        role = Role(
            served=containers[0],
            position=None,
            subject="container",
            hostname=assignment.host.name,
            network=None,
            model=model_directory(tools, None),
            logs=tools.logs,
            place_file=tools.files.scratch / "output-place.json",
        )
        return (role,)
    taken = {served.hostname for served in containers}
    return tuple(
        _of_pipeline(assignment, tools, network, position, served.hostname or _free(f"container-{position}", taken))
        for position, served in enumerate(containers, start=1)
    )


def model_directory(tools: Tools, position: int | None) -> Path:
    """Where the unpacked model of a container lies."""
    return tools.files.opt_ml / ("model" if position is None else f"model-{position}")


def _free(name: str, taken: Collection[str | None]) -> str:
    while name in taken:
        name += "-0"
    return name


def _of_pipeline(assignment: TransformAssignment, tools: Tools, network: str | None, position: int, name: str) -> Role:
    containers = assignment.job.containers
    return Role(
        served=containers[position - 1],
        position=position,
        subject=f"container {name} ({position} of {len(containers)})",
        hostname=name,
        network=network,
        model=model_directory(tools, position),
        logs=LogWriter(tools.logs.logs, tools.logs.group, f"{tools.logs.stream}/{name}"),
        place_file=tools.files.scratch / f"output-place-{position}.json",
    )
