"""What is remembered of requests is bounded in number, and no text that is remembered is long."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sagestone
from sagestone.shapes.pattern import SHORT, full_match, quick_match

#: Keyed by the operations that are served, which are ours.
NOT_BOUNDED = {"sagestone.domain.members.tables._known", "sagestone.domain.members.tables._lines"}


def caches() -> Iterator[tuple[str, Any]]:
    for found in pkgutil.walk_packages(sagestone.__path__, "sagestone."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        places = [module, *(each for each in vars(module).values() if inspect.isclass(each))]
        for place in places:
            for each in vars(place).values():
                if isinstance(each, functools._lru_cache_wrapper) and each.__module__ == found.name:
                    yield f"{found.name}.{each.__qualname__}", each


def test_every_cache_has_a_bound_or_nothing_to_be_asked_for() -> None:
    known = dict(caches())
    assert "sagestone.wire.signature.signing_key" in known
    for name, cache in known.items():
        most = cache.cache_parameters()["maxsize"]
        bounded = most is not None and most <= 1024
        assert bounded or name in NOT_BOUNDED or not inspect.signature(cache).parameters, name


@pytest.mark.parametrize("match", [full_match, quick_match])
def test_of_a_pattern_few_texts_are_remembered(match: Callable[[str], Any]) -> None:
    fits = match(r"[a-z]+-[0-9]+")
    for number in range(3000):
        assert fits(f"text-{number}")
    assert remembered(fits) == 64


def test_no_long_text_is_remembered() -> None:
    fits = full_match(r"[a-z]+-[0-9]+")
    for length in (SHORT, SHORT + 1, 100_000):
        assert fits("x" * (length - 2) + "-1")
    assert remembered(fits) == 1


def remembered(fits: Any) -> int:
    """How many texts, in the cache that the function is or holds."""
    held = [cell.cell_contents for cell in getattr(fits, "__closure__", ())]
    (cache,) = [each for each in (fits, *held) if isinstance(each, functools._lru_cache_wrapper)]
    return cache.cache_info().currsize
