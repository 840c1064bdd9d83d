"""What every store promises of the resources that are no jobs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.model import Model
from sagestone.domain.model_package import ModelPackage, ModelPackageGroup
from sagestone.domain.transition import begin_validation, complete_validation, new_transform_job, request_delete
from sagestone.store.interface import BadToken, LeaseLost, ListQuery, NameTaken, NotEmpty, NotFound, Store
from tests.contract.stores import OpenStore
from tests.documents import algorithm, group, model, package, transform_spec


class TestResources:
    def test_what_was_kept_is_there_when_it_is_opened_again(self, open_store: OpenStore, tmp_path: Path) -> None:
        store = open_store(tmp_path)
        store.add_resource(model("m"), {"b": "2", "a": "1"})
        store.close()
        store = open_store(tmp_path)
        assert store.resource(Model, "m") == model("m")
        assert list((store.tags(model("m").arn) or {}).items()) == [("b", "2"), ("a", "1")]
        store.close()

    def test_kinds_do_not_see_each_other(self, store: Store) -> None:
        store.add_resource(model("x"), {})
        store.add_algorithm(algorithm("x"), {})
        store.add_job(new_transform_job(transform_spec("x"), 1000.0), {})
        assert store.resource(Model, "x") == model("x")
        assert store.resource(Model, "y") is None
        assert [row.name for row in store.list_resources(Model, ListQuery()).rows] == ["x"]
        assert store.unfinished_resources() == ["algorithm/x"]
        assert store.unfinished_jobs() == store.job_keys() == ["transform/x"]
        assert store.remove_resource(Model, "x")
        assert store.algorithm("x") == algorithm("x")
        assert store.transform_job("x") is not None

    def test_of_many_who_want_a_name_one_gets_it(self, store: Store) -> None:
        begin = threading.Barrier(8)

        def add(number: int) -> bool:
            begin.wait()
            try:
                store.add_resource(replace(model("m"), created_at=float(number)), {"who": str(number)})
            except NameTaken:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            added = list(pool.map(add, range(8)))
        found = store.resource(Model, "m")
        assert sum(added) == 1
        assert found is not None
        assert added[int(found.created_at)]
        assert store.tags(found.arn) == {"who": str(int(found.created_at))}

    def test_removing_takes_the_tags_and_frees_the_name(self, store: Store) -> None:
        store.add_resource(model("m"), {"k": "v"})
        assert store.remove_resource(Model, "m")
        assert not store.remove_resource(Model, "m")
        assert store.resource(Model, "m") is None
        assert store.tags(model("m").arn) is None
        store.add_resource(model("m"), {})
        assert store.tags(model("m").arn) == {}

    def test_lists_filter_sort_and_page(self, store: Store) -> None:
        for number in range(9):
            store.add_resource(model(f"m{number}", created_at=1000.0 + (number * 4) % 9), {})
        query = ListQuery(sort_by="CreationTime", ascending=False, limit=4, created_after=1002.0, name_contains="m")
        first = store.list_resources(Model, query)
        second = store.list_resources(Model, replace(query, token=first.token))
        times = [row.created_at for row in (*first.rows, *second.rows)]
        assert times == [1008.0, 1007.0, 1006.0, 1005.0, 1004.0, 1003.0]
        assert second.token is None
        assert [row.arn for row in store.list_resources(Model, ListQuery(name_contains="m3")).rows] == [model("m3").arn]
        with pytest.raises(BadToken):
            store.list_algorithms(replace(query, token=first.token))


class TestGroups:
    def test_a_member_needs_its_group_and_keeps_it(self, store: Store) -> None:
        with pytest.raises(NotFound):
            store.add_resource(package("g/1", group="g"), {})
        store.add_resource(group("g"), {})
        store.add_resource(package("g/1", group="g"), {})
        with pytest.raises(NotEmpty):
            store.remove_resource(ModelPackageGroup, "g")
        assert store.resource(ModelPackageGroup, "g") == group("g")
        assert store.remove_resource(ModelPackage, "g/1")
        assert store.remove_resource(ModelPackageGroup, "g")
        assert not store.remove_resource(ModelPackageGroup, "g")

    def test_of_a_member_and_the_removal_of_its_group_one_wins(self, store: Store) -> None:
        def add(name: str) -> bool:
            try:
                store.add_resource(package(f"{name}/1", group=name), {})
            except NotFound:
                return False
            return True

        def remove(name: str) -> bool:
            try:
                return store.remove_resource(ModelPackageGroup, name)
            except NotEmpty:
                return False

        for number in range(10):
            store.add_resource(group(f"g{number}"), {})
        with ThreadPoolExecutor(8) as pool:
            tried = [(pool.submit(add, f"g{number}"), pool.submit(remove, f"g{number}")) for number in range(10)]
        assert [added.result() + removed.result() for added, removed in tried] == [1] * 10

    def test_lists_of_a_group_of_versions_and_of_the_others(self, store: Store) -> None:
        for name in ("g", "h1"):
            store.add_resource(group(name), {})
        for name in ("g/1", "g/2", "h1/1"):
            store.add_resource(package(name, group=name.partition("/")[0], approval="Approved"), {})
        store.add_resource(package("p1"), {})

        def names(**filters: Any) -> list[str]:
            query = ListQuery(sort_by="Name", **filters)
            return [row.name for row in store.list_resources(ModelPackage, query).rows]

        assert names() == ["g/1", "g/2", "h1/1", "p1"]
        assert names(group="g") == ["g/1", "g/2"]
        assert names(group="absent") == []
        assert names(grouped=True) == ["g/1", "g/2", "h1/1"]
        assert names(grouped=False) == ["p1"]
        assert names(secondary_status="Approved", status="Pending") == ["g/1", "g/2", "h1/1"]
        assert names(name_contains="1") == ["h1/1", "p1"]  # a version is no part of the name
        first = store.list_resources(ModelPackage, ListQuery(group="g", limit=1, ascending=False))
        second = store.list_resources(ModelPackage, ListQuery(group="g", limit=1, ascending=False, token=first.token))
        assert [row.name for row in (*first.rows, *second.rows)] == ["g/2", "g/1"]

    def test_what_is_validated_is_unfinished_until_it_is_done(self, store: Store) -> None:
        store.add_resource(package("p"), {})
        store.add_algorithm(algorithm("a"), {})
        assert store.unfinished_resources() == ["model-package/p", "algorithm/a"]
        assert store.unfinished_jobs() == []
        store.change_resource(ModelPackage, "p", begin_validation)
        ended = store.change_resource(ModelPackage, "p", complete_validation)
        assert ended == store.resource(ModelPackage, "p")
        assert store.unfinished_resources() == ["algorithm/a"]
        store.take_lease("model-package/p", "other", 1000.0)
        with pytest.raises(LeaseLost):
            store.change_resource(ModelPackage, "p", request_delete, "one")
        with pytest.raises(LeaseLost):
            store.remove_resource(ModelPackage, "p", "one")
        with pytest.raises(NotFound):
            store.change_resource(ModelPackage, "absent", request_delete)
