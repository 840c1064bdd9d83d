"""CleanHome of Sagestone itself: takes away what need not be kept, or tells what would go."""

from collections.abc import Mapping
from typing import Any, Final

from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call
from sagestone.wire.errors import AccessDeniedException

#: How many things an answer names; the sums count all.
_NAMED: Final = 1000


def clean_home(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Clean now. Only users of the home's own account may ask: the home is everybody's."""
    principal = call.caller.principal
    if deps.clean is None or (principal is not None and principal.kind == "role"):
        raise AccessDeniedException("Only users of the home's own account may clean the home, which others use too.")
    gone = deps.clean(bool(call.parameters.get("DryRun")))
    return {
        "Count": len(gone),
        "Bytes": sum(each.size for each in gone),
        "Gone": [{"Kind": each.kind, "Name": each.name, "Bytes": each.size} for each in gone[:_NAMED]],
    }
