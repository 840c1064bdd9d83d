"""What every store promises of its lists: filters, order, stable pages, and a cost that does not grow."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sagestone.domain.transition import (
    begin_validation,
    complete_validation,
    new_training_job,
    request_stop,
)
from sagestone.store.interface import BadToken, ListQuery, Page, Store
from tests.contract.stores import STORES, multiply
from tests.documents import algorithm, training_spec

MANY = 30_000


@pytest.fixture(params=sorted(STORES), scope="module")
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """40 algorithms in pairs of the same time, every third Completed, one of four InProgress."""
    store = STORES[request.param](tmp_path_factory.mktemp("lists"))
    for number in range(40):
        store.add_algorithm(algorithm(f"name-{(number * 7) % 40:02}", created_at=1000.0 + number // 2), {})
        if number % 4 == 0 or number % 3 == 0:
            store.change_algorithm(f"name-{(number * 7) % 40:02}", begin_validation)
        if number % 3 == 0:
            store.change_algorithm(f"name-{(number * 7) % 40:02}", complete_validation)
    yield store
    store.close()


def test_the_bounds_are_those_that_were_shown(tmp_path: Path) -> None:
    for name, opened in STORES.items():
        store = opened(tmp_path / name)
        store.add_job(new_training_job(training_spec(), 1000.0001), {})
        store.change_job("training/job", lambda job: request_stop(job, 1001.9996))
        (row,) = store.list_training_jobs(ListQuery()).rows
        shown = (round(row.created_at, 3), round(row.modified_at, 3))
        assert shown == (1000.0, 1002.0)
        for query in (ListQuery(created_after=shown[0]), ListQuery(modified_after=shown[1]),
                      ListQuery(created_before=shown[0]), ListQuery(modified_before=shown[1])):  # fmt: skip
            assert store.list_training_jobs(query).rows == []
        store.close()


def pages(listing: Callable[[ListQuery], Page[Any]], query: ListQuery) -> Iterator[list[str]]:
    while True:
        page = listing(query)
        yield [row.name for row in page.rows]
        if page.token is None:
            return
        query = replace(query, token=page.token)


queries = st.builds(
    ListQuery,
    name_contains=st.sampled_from([None, "1", "name-2", "absent", "%", "NAME", "e-1", "name-", "-03", 'a"b', "name-3"]),
    created_after=st.sampled_from([None, 1004.0, 1020.0]),
    created_before=st.sampled_from([None, 1010.0, 1000.0]),
    status=st.sampled_from([None, "Pending", "InProgress", "Completed"]),
    sort_by=st.sampled_from(["Name", "CreationTime", "Status"]),
    ascending=st.booleans(),
    limit=st.integers(1, 50),
)


class TestLists:
    @given(queries)
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
    def test_pages_together_are_the_rows_that_pass_in_order(self, filled: Store, query: ListQuery) -> None:
        found = [row for page in _row_pages(filled, query) for row in page]
        everything = filled.list_algorithms(ListQuery(limit=100)).rows
        expected = {
            row.name
            for row in everything
            if (query.name_contains or "") in row.name
            and (query.created_after is None or row.created_at > query.created_after)
            and (query.created_before is None or row.created_at < query.created_before)
            and query.status in (None, row.status)
        }
        assert len(found) == len(expected)
        assert {row.name for row in found} == expected
        keys = {"Name": "name", "CreationTime": "created_at", "Status": "status"}
        order = [getattr(row, keys[query.sort_by]) for row in found]
        assert order == sorted(order, reverse=not query.ascending)

    @pytest.mark.parametrize("sort_by", ["Name", "CreationTime"])
    @pytest.mark.parametrize("ascending", [True, False])
    def test_a_list_goes_on_after_the_last_row_whatever_changed(
        self, tmp_path: Path, sort_by: Any, ascending: bool
    ) -> None:
        for open_store in STORES.values():
            store = open_store(tmp_path / sort_by / str(ascending))
            for number in range(10):
                store.add_algorithm(algorithm(f"n{number}0", created_at=1000.0 + number), {})
            query = ListQuery(sort_by=sort_by, ascending=ascending, limit=4)
            listing = pages(store.list_algorithms, query)
            first = next(listing)
            last, behind, ahead = first[-1], first[0], ("n4" if ascending else "n5")
            store.remove_algorithm(last)
            store.remove_algorithm(behind)
            store.add_algorithm(algorithm(f"{ahead}5", created_at=1004.5), {})
            store.add_algorithm(algorithm(first[0] + "5", created_at=1000.0 if ascending else 1009.0), {})
            rest = list(itertools.chain(*listing))
            expected = {f"n{number}0" for number in range(10)} - set(first) | {f"{ahead}5"}
            assert set(rest) == expected
            assert len(rest) == len(expected)
            store.close()

    def test_a_token_serves_its_own_query_only(self, filled: Store) -> None:
        query = ListQuery(limit=5, status="Pending")
        token = filled.list_algorithms(query).token
        assert token is not None
        assert filled.list_algorithms(replace(query, token=token, limit=3)).rows
        for other in (
            replace(query, status=None), replace(query, ascending=False), replace(query, sort_by="Name"),
            replace(query, name_contains="n"), replace(query, created_after=1.0),
        ):  # fmt: skip
            with pytest.raises(BadToken):
                filled.list_algorithms(replace(other, token=token))
        with pytest.raises(BadToken):
            filled.list_training_jobs(replace(query, token=token))

    @given(st.one_of(st.text(), st.binary().map(lambda raw: raw.hex()), st.just("AAAA" * 20)))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_an_invented_token_is_refused(self, filled: Store, token: str) -> None:
        if token:
            with pytest.raises(BadToken):
                filled.list_algorithms(ListQuery(token=token))

    def test_jobs_are_filtered_by_the_time_of_their_last_change_too(self, tmp_path: Path) -> None:
        for open_store in STORES.values():
            store = open_store(tmp_path)
            for number in range(3):
                store.add_job(new_training_job(training_spec(f"j{number}"), 1000.0 + number), {})
            store.change_job("training/j1", lambda job: request_stop(job, 2000.0))
            (row,) = store.list_training_jobs(ListQuery(modified_after=1500.0)).rows
            assert (row.name, row.status, row.secondary_status, row.modified_at, row.ended_at) == (
                "j1", "Stopping", "Stopping", 2000.0, None,
            )  # fmt: skip
            assert len(store.list_training_jobs(ListQuery(modified_before=1500.0)).rows) == 2
            assert store.list_transform_jobs(ListQuery()).rows == []
            store.close()


@pytest.fixture(params=sorted(STORES), scope="module")
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One with many rows."""
    place = tmp_path_factory.mktemp("large")
    store = STORES[request.param](place)
    if request.param == "postgres":
        store.add_algorithm(algorithm("name-000000", created_at=1000.0), {})
        multiply(place, MANY)
    else:
        _fill(store, MANY)
    yield store
    store.close()


class TestLargeLists:
    """Pages of many rows; what they cost beside those of few is `./run bench registered`."""

    def test_a_filter_that_nothing_passes_ends_with_bounded_pages(self, large: Store) -> None:
        found = list(pages(large.list_algorithms, ListQuery(modified_after=1e9)))
        assert set(map(len, found)) == {0}
        assert len(found) == MANY // 10_000

    def test_the_few_names_with_a_text_are_found_wherever_they_stand(self, large: Store) -> None:
        query = ListQuery(name_contains="-02998", ascending=False)
        names = list(itertools.chain(*pages(large.list_algorithms, query)))
        assert names == [f"name-{number:06}" for number in range(29_989, 29_979, -1)]


def _row_pages(store: Store, query: ListQuery) -> Iterator[list[Any]]:
    while True:
        page = store.list_algorithms(query)
        assert len(page.rows) <= query.limit
        yield list(page.rows)
        if page.token is None:
            return
        query = replace(query, token=page.token)


def _fill(store: Store, count: int) -> None:
    """Many at a time, so that they share transactions."""

    def add(first: int) -> None:
        for number in range(first, count, 32):
            store.add_algorithm(algorithm(f"name-{number:06}", created_at=1000.0 + number), {})

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(add, range(32)))
