"""What a container without isolation is told, so that AWS clients in it find the service and their role's keys."""

from pathlib import Path
from typing import Final

from sagestone.agent.relay import Relay, address_of, endpoint_of
from sagestone.agent.tools import Tools
from sagestone.containers.runtime import Runtime, RuntimeFailure
from sagestone.domain.assignment import Assignment, TrainingAssignment
from sagestone.domain.container_credentials import credentials_path

#: The port of the container's own loopback by which the service is reached where it has a network of its own.
PORT: Final = 51679

_END_SECONDS = 1.0  # between the end of a process and the runtime's knowing of it


def role_environment(assignment: Assignment, tools: Tools) -> dict[str, str]:
    """Endpoint and place of the credentials; nothing for an isolated job, or where no service is to be found."""
    if not _has_role(assignment) or tools.service is None:
        return {}
    try:
        here = endpoint_of(Path(tools.service.endpoint_file))
    except (OSError, ValueError):
        return {}
    endpoint = f"http://127.0.0.1:{PORT}" if _needs_relay(assignment, tools) else here
    service = tools.service
    path = credentials_path(service.seal_key, assignment.job.key, assignment.created_at, service.account)
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{endpoint}{path}",
        **({"AWS_ENDPOINT_URL_S3": tools.service.s3_endpoint} if tools.service.s3_endpoint else {}),
    }


def open_relay(assignment: Assignment, tools: Tools, container: str) -> Relay | None:
    """The way from a running container to the service; None where it needs none, or has none: then the log says so."""
    if not _has_role(assignment) or tools.service is None or not _needs_relay(assignment, tools):
        return None
    file = Path(tools.service.endpoint_file)
    try:
        listener = tools.runtime.listen(container, PORT)
    except (RuntimeFailure, OSError) as error:
        if not _is_over(tools.runtime, container):
            tools.say(f"the container cannot reach this service: {error}")
        return None
    return Relay(listener, lambda: address_of(endpoint_of(file)))


def _is_over(runtime: Runtime, container: str) -> bool:
    """Whether its program has ended already, as short ones do: then there is nobody left who would miss the way."""
    try:
        return runtime.wait(container, _END_SECONDS) is not None
    except (RuntimeFailure, OSError):
        return False


def _has_role(assignment: Assignment) -> bool:
    """A model may have been made without one."""
    return not assignment.job.isolated and bool(assignment.job.role_arn)


def _needs_relay(assignment: Assignment, tools: Tools) -> bool:
    """Only a lone host of a training job has the machine's own loopback, and in the sandbox only."""
    alone = isinstance(assignment, TrainingAssignment) and assignment.network is None
    return tools.runtime.name != "sandbox" or not alone
