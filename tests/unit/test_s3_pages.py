"""Listings of the embedded store against a model in plain Python."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagestone.s3.storage import Storage, open_storage
from sagestone.s3.storage.pages import list_objects

KEYS = st.text(st.sampled_from("ab/-\x00\u00e9\uffee\U0001f600"), min_size=1, max_size=6)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path)
    opened.buckets.create("data", "us-east-1", 0.0)
    opened.buckets.create("data2", "us-east-1", 0.0)
    yield opened
    opened.close()


def fill(storage: Storage, keys: set[str]) -> None:
    def work(connection: object) -> None:
        connection.execute("DELETE FROM object")  # type: ignore[attr-defined]
        for bucket in ("data", "data2"):
            rows = [(bucket, key.encode(), "blob", 1, "etag", 0.0, b"{}") for key in keys]
            connection.executemany("INSERT INTO object VALUES (?, ?, ?, ?, ?, ?, ?)", rows)  # type: ignore[attr-defined]

    storage.index.write(work)


def model(keys: set[str], prefix: str, delimiter: str) -> list[str]:
    """Keys and common prefixes (marked by a trailing NUL NUL) in order."""
    items = []
    for key in sorted((key for key in keys if key.startswith(prefix)), key=str.encode):
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        item = key if at < 0 else key[: at + len(delimiter)] + "\0\0"
        if item not in items:
            items.append(item)
    return items


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.sets(KEYS, max_size=12),
    st.one_of(st.just(""), KEYS.map(lambda key: key[:2])),
    st.sampled_from(["", "/", "-", "a/", "\u00e9"]),
    st.integers(1, 4),
)
def test_pages_together_are_the_listing(
    storage: Storage, keys: set[str], prefix: str, delimiter: str, limit: int
) -> None:
    fill(storage, keys)
    listed: list[str] = []
    after = ""
    while True:
        page = list_objects(storage.index, "data", prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        mixed = [(each.key.encode(), each.key) for each in page.items]
        mixed += [(each.encode(), each + "\0\0") for each in page.prefixes]
        assert len(mixed) <= limit
        listed += [name for _, name in sorted(mixed)]
        if page.last is None:
            break
        assert len(mixed) == limit
        after = page.last
    assert listed == model(keys, prefix, delimiter)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.sets(KEYS, max_size=12), KEYS, st.text(st.sampled_from("ab/"), max_size=2))
def test_start_after_any_text(storage: Storage, keys: set[str], after: str, prefix: str) -> None:
    fill(storage, keys)
    page = list_objects(storage.index, "data", prefix=prefix, after=after)
    expected = [key for key in model(keys, prefix, "") if key.encode() > after.encode()]
    assert [each.key for each in page.items] == expected
