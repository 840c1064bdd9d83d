"""An operation as the server finds it in the operation table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagestone.wire.call import Call

#: What an operation answers: members of the output shape, JSON bytes that are passed through, or None for no output.
Answer = Mapping[str, Any] | bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One served operation. `writes`: it waits for the disk, so it runs in a thread; others run on the loop and must
    answer within microseconds. `function` raises ServiceError for the caller; anything else is our bug."""

    function: Callable[[Call], Answer]
    writes: bool


#: (signing name of the service, operation name) → operation.
OperationTable = Mapping[tuple[str, str], Operation]
