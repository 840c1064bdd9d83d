"""An operation as the server finds it in the operation table."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sagestone.wire.call import Call

#: What an operation answers: members of the output shape, JSON bytes that are passed through, or None for no output.
Answer = Mapping[str, Any] | bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What was begun and is not on the disk yet: `answer`, asked for once `stored` is done, answers or raises."""

    stored: "Future[None]"
    answer: Callable[[], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One served operation. `writes`: it waits for the disk, so it runs in a thread; others run on the loop and must
    answer within microseconds. `function` raises ServiceError for the caller; anything else is our bug.

    `begin`: of one that writes, what does everything but the last wait, on the loop too, and so spares the threads; it
    gives None, and has done nothing, for a call that would have to wait for anything else.
    """

    function: Callable[[Call], Answer]
    writes: bool
    begin: Callable[[Call], Later | None] | None = None


#: (signing name of the service, operation name) → operation.
OperationTable = Mapping[tuple[str, str], Operation]
