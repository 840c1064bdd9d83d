"""How much of a processor may go into reading a container's output."""

from hypothesis import given
from hypothesis import strategies as st

from sagestone.agent.console_share import ConsoleShare


class Simulated:
    """A thread that works and waits, in a time of its own."""

    def __init__(self) -> None:
        self.now = self.spent = 0.0
        self.share = ConsoleShare(spent=lambda: self.spent, clock=lambda: self.now)
        self.share.due()

    def work(self, seconds: float) -> float:
        """Seconds that it then has to wait."""
        self.now += seconds
        self.spent += seconds
        waits = self.share.due()
        self.now += waits
        return waits


@given(pieces=st.lists(st.floats(0.0001, 0.4), min_size=1, max_size=300))
def test_it_never_takes_more_than_its_share(pieces: list[float]) -> None:
    thread = Simulated()
    for seconds in pieces:
        thread.work(seconds)
        assert thread.spent <= 2.0 + 0.25 * thread.now + 1e-6


def test_what_is_done_at_once_waits_for_nothing_and_a_flood_gets_all_of_its_share() -> None:
    thread = Simulated()
    assert [thread.work(0.1) for _ in range(20)] == [0.0] * 20
    for _ in range(1000):
        thread.work(0.1)
    assert thread.spent >= 0.25 * thread.now
    thread.now += 100.0
    assert thread.work(1.9) == 0.0


def test_nobody_waits_once_the_container_has_ended() -> None:
    thread = Simulated()
    assert thread.work(1000.0) > 0.0
    thread.share.end()
    assert thread.work(1000.0) == 0.0
