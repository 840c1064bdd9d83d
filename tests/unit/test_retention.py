"""What goes by age and size: the oldest first, no more than must, and nothing young."""

import threading

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sagestone.compose.watched_images import WatchedImages
from sagestone.containers.runtime import Image, ImageNotFound
from sagestone.domain.retention import DAY, GB, YOUNGEST_SECONDS, Aged, too_many, too_old

NOW = 1_700_000_000.0
AGED = st.builds(
    Aged,
    name=st.uuids().map(str),
    size=st.integers(0, GB),
    changed_at=st.floats(NOW - 10 * DAY, NOW + 10, allow_nan=False),
)
IMAGE = Image(names=("a:1",), digest="sha256:" + "a" * 64, id="sha256:" + "b" * 64, architecture="amd64", size_bytes=1)


@pytest.mark.parametrize(
    ("age", "days", "goes"),
    [(2 * DAY, 1, True), (0.5 * DAY, 1, False), (1000 * DAY, 0, False), (1800, 0.0001, False), (3601, 0.0001, True)],
)
def test_zero_keeps_for_ever_and_what_is_young_stays(age: float, days: float, goes: bool) -> None:
    assert too_old(NOW - age, days, NOW) is goes


@given(st.lists(AGED, max_size=20), st.floats(0.01, 5))
def test_the_oldest_go_until_the_rest_fits(kept: list[Aged], limit_gb: float) -> None:
    going = too_many(kept, limit_gb, NOW)
    rest = [each for each in kept if each not in going]
    assert all(NOW - each.changed_at > YOUNGEST_SECONDS for each in going)
    if going:
        assert max(each.changed_at for each in going) <= min((each.changed_at for each in rest), default=NOW + 11)
        assert sum(each.size for each in [*rest, going[-1]]) > limit_gb * GB
    if sum(each.size for each in rest) > limit_gb * GB:
        assert all(NOW - each.changed_at <= YOUNGEST_SECONDS for each in rest)
    assert too_many(kept, 0, NOW) == []


def test_an_image_that_was_just_asked_for_stays_and_may_go_an_hour_later() -> None:
    now = [0.0]
    images = WatchedImages(lambda reference: IMAGE, lambda: now[0])
    removed: list[str] = []
    images.find("a:1")
    assert not images.remove(IMAGE, lambda: False, lambda: removed.append("early"))
    now[0] = 3601.0
    assert not images.remove(IMAGE, lambda: True, lambda: removed.append("needed"))
    assert images.remove(IMAGE, lambda: False, lambda: removed.append("late"))
    assert removed == ["late"]


def test_who_asks_while_an_image_is_removed_is_told_that_there_is_none() -> None:
    """Whatever the order: either it is asked for first and stays, or it is gone for who asks."""
    there = {"a:1"}
    found, may_go_on = threading.Event(), threading.Event()
    outcome: list[object] = []

    def look(reference: str) -> Image:
        if reference not in there:
            raise ImageNotFound(reference)
        if not found.is_set():
            found.set()
            assert may_go_on.wait(30)  # found, and not yet known to be asked for
        return IMAGE

    def ask() -> None:
        try:
            outcome.append(images.find("a:1"))
        except ImageNotFound as error:
            outcome.append(error)

    images = WatchedImages(look)
    asking = threading.Thread(target=ask)
    asking.start()
    assert found.wait(30)
    assert images.remove(IMAGE, lambda: False, there.clear)
    may_go_on.set()
    asking.join(30)
    assert isinstance(outcome[0], ImageNotFound)
