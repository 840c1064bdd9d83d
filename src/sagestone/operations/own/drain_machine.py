"""DrainMachine of Sagestone itself: no job gets instances any more, so that the machine empties."""

from collections.abc import Mapping
from typing import Any

from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call
from sagestone.wire.errors import AccessDeniedException


def drain_machine(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Begin or end it where the request says so, and tell how many jobs are still there and how many wait.

    It lasts until it is ended or the service ends. Only users of the home's own account may ask: the machine is shared.
    """
    principal = call.caller.principal
    if deps.machine is None or (principal is not None and principal.kind == "role"):
        raise AccessDeniedException("Only users of the home's own account may drain the machine, which others use too.")
    draining = call.parameters.get("Draining")
    if draining is not None:
        deps.machine.drain(draining)
        deps.hint()
    reserved = deps.machine.reserved()
    return {"Draining": deps.machine.draining, "JobsPlaced": reserved.holding, "JobsWaiting": reserved.waiting}
