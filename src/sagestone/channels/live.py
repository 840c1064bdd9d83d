"""The live part of a channel: what works beside the container for as long as it runs.

File mode has none: all is done before the container is made. Pipe feeds FIFOs; FastFile keeps a mount or links.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from sagestone.containers.runtime import Mount
from sagestone.domain.failure import Failure


class LivePart(Protocol):
    """One channel of one training instance, as its agent sees it. All calls come from the agent's main thread.

    Life with one agent: `start`, the container is made with `mounts` and started, `failure` is looked at until the
    container has ended, `stop`. With an agent that replaces a dead one: `stop`, `start`, … when training had not been
    told yet, since all input is then made anew; otherwise `resume` in the place of `start`; and `stop` alone when the
    container's end was known already.

    1. `start` finds its directories empty and returns when a program could begin. It calls `watch` at least every
       100 ms, which may raise to break off. It gives the number of objects of the channel, those of other hosts too;
       none fails the job. Raises JobFailure.
    2. `resume` comes while the container runs, or after it ended unseen, or before it was ever started. It must not
       guess: when it cannot vouch for what the program has read or will read, `failure` says so from then on.
    3. `failure` says why the program cannot have its data, with the object's URI; None while all is well. It costs
       nothing, and what it once told it keeps telling. The container is then stopped and the job fails with it,
       whatever the exit code; until then the program must not take what it got for all there is.
    4. `settled` is asked when the container has ended, and says whether `failure` has nothing to wait for: a program
       that ends well before all its input was looked at is believed when that has gone well too. It costs nothing.
    5. `stop` ends threads and processes and takes away what is no ordinary file (mounts, FIFOs), whoever made it: the
       tree is removed next. Idempotent, also before any `start`. Raises OSError when something is left.
    6. `mounts` are what the container gets beside `/opt/ml/input`, of which a channel's directory is a part anyway.
    """

    def start(self, watch: Callable[[], None]) -> int: ...

    def resume(self) -> None: ...

    def failure(self) -> Failure | None: ...

    def settled(self) -> bool: ...

    def stop(self) -> None: ...

    def mounts(self) -> tuple[Mount, ...]: ...


class LiveParts:
    """The live parts of all channels of an instance, by channel name."""

    def __init__(self, parts: Iterable[tuple[str, LivePart]]) -> None:
        self._parts = dict(parts)

    def of(self, channel: str) -> LivePart | None:
        """The live part of that channel; None where it has none."""
        return self._parts.get(channel)

    def resume(self) -> None:
        """Take all up again after an agent died."""
        for part in self._parts.values():
            part.resume()

    def failure(self) -> Failure | None:
        """The first failure that a channel has to tell."""
        for part in self._parts.values():
            failure = part.failure()
            if failure is not None:
                return failure
        return None

    def settled(self) -> bool:
        """Whether no channel has still to find out whether it has a failure to tell."""
        return all(part.settled() for part in self._parts.values())

    def stop(self) -> None:
        """Stop all; the first OSError is raised when every one has been tried."""
        failed: OSError | None = None
        for part in self._parts.values():
            try:
                part.stop()
            except OSError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def mounts(self) -> tuple[Mount, ...]:
        """The mounts of all."""
        return tuple(mount for part in self._parts.values() for mount in part.mounts())
