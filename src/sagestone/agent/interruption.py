"""What may break off the work of a training instance: a stop, the end of its time, or another host that failed."""

from sagestone.agent.rendezvous import Rendezvous
from sagestone.agent.stop import StopSignal
from sagestone.domain.event import Outcome


class Interruption:
    """Gives the Outcome that an interruption leads to, whatever the container's exit code will be."""

    def __init__(self, stop: StopSignal, meeting: Rendezvous) -> None:
        self._stop, self._meeting = stop, meeting

    def outcome(self) -> Outcome | None:
        """How this instance is to end; None: go on. A host that failed hands its own failure to the others."""
        reason = self._stop.reason()
        if reason is not None:
            return Outcome(ending=reason)
        failed = self._meeting.failed_peer()
        return None if failed is None else Outcome(ending="Failed", failure=failed[1].failure)

    def check(self) -> None:
        """Raise Interrupted when there is an outcome."""
        outcome = self.outcome()
        if outcome is not None:
            raise Interrupted(outcome)


class Interrupted(Exception):
    """Raised where work is to be broken off; carries how the instance ends."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.ending)
        self.outcome = outcome
