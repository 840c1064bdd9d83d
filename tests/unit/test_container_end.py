"""Whether a program ended by itself: asked of whatever can happen between a container's start and the question."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.container_end import KILLED, LOST, EngineLife, was_taken_along

HANDLED = 1.0  # seconds from an engine's beginning until it has dealt with a container
AWAY = st.floats(0.5, 300)
LIVED = st.floats(5, 3000)


@dataclass(frozen=True)
class Stop:
    """The engine lives on for `after` seconds, ends in this way, and is away so long."""

    after: float
    way: Literal["asked", "killed", "machine"]
    away: float


@dataclass(frozen=True)
class Story:
    """A container that an engine of age `age` starts, whose program ends by itself with `code` after `runs` seconds."""

    age: float
    runs: float
    code: int
    stops: list[Stop]
    spares: bool
    has_bridge: bool


@dataclass(frozen=True)
class End:
    code: int
    at: float
    own: bool


stops = st.builds(Stop, after=LIVED, way=st.sampled_from(["asked", "killed", "machine"]), away=AWAY)
#: The machine goes down once at most: an agent asks before it does so again.
stories = st.builds(
    Story,
    age=LIVED,
    runs=st.floats(0.1, 6000),
    code=st.sampled_from([0, 1, 3, 143, KILLED, LOST]),
    stops=st.lists(stops, max_size=3).filter(lambda drawn: [stop.way for stop in drawn].count("machine") <= 1),
    spares=st.booleans(),
    has_bridge=st.booleans(),
)


def tell(story: Story) -> tuple[End, EngineLife]:
    """How it ends, and what is then known of the engine; the container is started at 0."""
    own = End(story.code, story.runs, own=True)
    end, began, ready = None, -story.age, -story.age + HANDLED
    now, machine = 0.0, -2 * story.age
    for stop in story.stops:
        down = now + stop.after
        up = down + stop.away
        if end is None and story.runs <= down:
            end = own
        if end is None and stop.way == "machine":
            end = End(LOST, up + HANDLED / 2, own=False)
        elif end is None and stop.way == "asked" and not story.spares:
            end = End(KILLED, down, own=False)
        elif end is None and not story.spares and story.runs > up + HANDLED / 2:
            end = End(KILLED, up + HANDLED / 2, own=False)
        elif end is None and story.runs <= up:
            end = own
        began, machine = up, up - 0.1 if stop.way == "machine" else machine
        if not (story.spares and end is None):  # with containers that go on the bridge does
            ready = up + HANDLED
        now = up + HANDLED
    life = EngineLife(began=began, ready=ready if story.has_bridge else None, machine=machine, spares=story.spares)
    return end or own, life


def beginnings(story: Story) -> Iterator[float]:
    """When an engine was started after the container."""
    now = 0.0
    for stop in story.stops:
        yield now + stop.after + stop.away
        now += stop.after + stop.away + HANDLED


@given(story=stories)
def test_what_did_not_end_by_itself_is_always_known(story: Story) -> None:
    end, life = tell(story)
    taken = was_taken_along(code=end.code, started_at=0.0, finished_at=end.at, engine=life)
    if not end.own:
        assert taken
        return
    killed_by_another = end.code == KILLED and story.stops and not story.spares
    known = HANDLED if story.has_bridge and not story.spares else 60  # until when the engine may write LOST down
    ended_as_it_started = end.code == LOST and any(0 <= end.at - at <= known for at in beginnings(story))
    if not killed_by_another and not ended_as_it_started:  # which cannot be told from the engine's doing
        assert not taken


def test_without_the_process_the_bridge_tells() -> None:
    def taken(code: int, finished_at: float, ready: float | None) -> bool:
        life = EngineLife(began=None, ready=ready, machine=None, spares=False)
        return was_taken_along(code=code, started_at=1000.0, finished_at=finished_at, engine=life)

    assert taken(LOST, 1999.0, 2000.0)
    assert not taken(LOST, 1500.0, 2000.0)
    assert taken(KILLED, 1500.0, 2000.0)
    assert not taken(KILLED, 1500.0, 900.0)
    assert not taken(KILLED, 1500.0, None)  # nothing is known: then only who saw the engine away knows better


def test_nobody_saw_it_end() -> None:
    life = EngineLife(began=None, ready=None, machine=None, spares=True)
    assert was_taken_along(code=0, started_at=1000.0, finished_at=None, engine=life)
