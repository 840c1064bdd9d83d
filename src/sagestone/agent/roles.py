"""What each container of a transform instance is given of its own: name, network, model directory, log."""

from pathlib import Path

from sagestone.agent.serving_container import Role
from sagestone.agent.tools import Tools
from sagestone.domain.assignment import TransformAssignment
from sagestone.job_logs.writer import LogWriter


def roles(assignment: TransformAssignment, tools: Tools, network: str | None) -> tuple[Role, ...]:
    """The roles of the job's containers, in order; `network` connects those of a pipeline.

    The only container has the instance's host name and writes to its stream. In a pipeline each has its
    ContainerHostname (else `container-<n>`), and a stream of that name below.
    """
    containers = assignment.job.containers
    if len(containers) == 1:
        role = Role(
            served=containers[0],
            position=None,
            subject="container",
            hostname=assignment.host.name,
            network=assignment.network,
            model=model_directory(tools, None),
            logs=tools.logs,
            place_file=tools.files.scratch / "output-place.json",
        )
        return (role,)
    return tuple(_of_pipeline(assignment, tools, network, position) for position in range(1, len(containers) + 1))


def model_directory(tools: Tools, position: int | None) -> Path:
    """Where the unpacked model of a container lies."""
    return tools.files.opt_ml / ("model" if position is None else f"model-{position}")


def _of_pipeline(assignment: TransformAssignment, tools: Tools, network: str | None, position: int) -> Role:
    containers = assignment.job.containers
    served = containers[position - 1]
    name = served.hostname or f"container-{position}"
    return Role(
        served=served,
        position=position,
        subject=f"container {name} ({position} of {len(containers)})",
        hostname=name,
        network=network,
        model=model_directory(tools, position),
        logs=LogWriter(tools.logs.logs, tools.logs.group, f"{tools.logs.stream}/{name}"),
        place_file=tools.files.scratch / f"output-place-{position}.json",
    )
