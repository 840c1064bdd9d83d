"""What every store promises: resources, changes, tags, events, leases."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from sagestone.domain.event import Outcome
from sagestone.domain.failure import Failure
from sagestone.domain.metric import MetricPoint
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import (
    begin_validation,
    fail,
    new_training_job,
    new_transform_job,
    request_job_delete,
    request_stop,
)
from sagestone.store.interface import LeaseLost, NameTaken, NotFound, Store
from tests.contract.stores import OpenStore, describe
from tests.documents import algorithm, event, plan, training_spec, transform_spec

TRAINING = new_training_job(training_spec(metrics=["loss"], instances=2), 1000.5)
TRANSFORM = new_transform_job(transform_spec(), 1001.5)


class TestStore:
    def test_what_was_kept_is_there_when_it_is_opened_again(self, open_store: OpenStore, tmp_path: Path) -> None:
        store = open_store(tmp_path)
        one = algorithm("a", plan=plan())
        store.add_algorithm(one, {"b": "2", "a": "1"})
        store.add_job(TRAINING, {"job": "tag"})
        store.add_job(TRANSFORM, {})
        store.close()
        store = open_store(tmp_path)
        assert store.algorithm("a") == one
        assert store.algorithm_document("a") == describe(one)
        assert store.training_job("job") == TRAINING
        assert store.transform_job("job") == TRANSFORM
        assert list((store.tags(one.arn) or {}).items()) == [("b", "2"), ("a", "1")]
        assert store.tags(TRAINING.spec.arn) == {"job": "tag"}
        assert store.unfinished_resources() == ["algorithm/a"]
        assert store.unfinished_jobs() == store.job_keys() == ["training/job", "transform/job"]
        store.close()

    def test_a_taken_name_is_refused_and_changes_nothing(self, store: Store) -> None:
        store.add_algorithm(algorithm("a"), {"k": "v"})
        store.add_job(TRAINING, {})
        with pytest.raises(NameTaken):
            store.add_algorithm(replace(algorithm("a"), created_at=5.0), {"other": "tag"})
        with pytest.raises(NameTaken):
            store.add_job(TRAINING, {})
        assert store.algorithm("a") == algorithm("a")
        assert store.tags(algorithm("a").arn) == {"k": "v"}

    def test_of_many_who_want_a_name_one_gets_it(self, store: Store) -> None:
        begin = threading.Barrier(8)

        def add(number: int) -> bool:
            begin.wait()
            try:
                store.add_algorithm(replace(algorithm("a"), created_at=float(number)), {"who": str(number)})
            except NameTaken:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            added = list(pool.map(add, range(8)))
        found = store.algorithm("a")
        assert sum(added) == 1
        assert found is not None
        assert added[int(found.created_at)]
        assert store.tags(found.arn) == {"who": str(int(found.created_at))}

    def test_what_is_kept_is_counted_by_kind_and_status(self, store: Store) -> None:
        assert store.counts() == []
        for name in "ab":
            store.add_algorithm(algorithm(name), {})
        store.add_job(TRAINING, {})
        store.change_job("training/job", lambda job: request_stop(cast(TrainingJob, job), 1001.0))
        store.add_job(TRANSFORM, {})
        assert list(store.counts()) == [
            ("algorithm", "Pending", 2), ("training", "Stopping", 1), ("transform", "InProgress", 1),
        ]  # fmt: skip

    def test_what_is_not_there(self, store: Store) -> None:
        assert store.algorithm("a") is None
        assert store.algorithm_document("a") is None
        assert store.training_job("a") is None
        assert store.transform_job("a") is None
        assert store.tags("arn:aws:sagemaker:r:1:algorithm/a") is None
        assert store.last_event("training/a", 1) == 0
        for change in (
            lambda: store.change_algorithm("a", lambda one: one),
            lambda: store.change_job("training/a", lambda job: job),
            lambda: store.change_job("nonsense", lambda job: job),
            lambda: store.apply_event(event("training/a", 1, 1.0, stage="Training")),
            lambda: store.add_tags("arn", {}, 50),
            lambda: store.remove_tags("arn", []),
        ):
            with pytest.raises(NotFound):
                change()
        store.remove_algorithm("a")

    def test_a_change_is_whole_and_its_document_goes_with_it(self, store: Store) -> None:
        store.add_algorithm(algorithm("a", plan=plan()), {})
        after = store.change_algorithm("a", begin_validation)
        assert after == store.algorithm("a")
        assert after.status == "InProgress"
        assert store.algorithm_document("a") == describe(after)

    def test_what_a_change_raises_passes_through_and_undoes_it_alone(self, store: Store) -> None:
        store.add_job(TRAINING, {})

        def refuse(job: object) -> object:
            raise ZeroDivisionError("no")

        with ThreadPoolExecutor(8) as pool:
            refused = [pool.submit(store.change_job, "training/job", refuse) for _ in range(20)]  # type: ignore[arg-type]
            added = [pool.submit(store.add_algorithm, algorithm(f"a{number}"), {}) for number in range(20)]
            assert all(isinstance(one.exception(), ZeroDivisionError) for one in refused)
            assert all(one.exception() is None for one in added)
        assert store.training_job("job") == TRAINING
        assert len(store.unfinished_resources()) == 20

    def test_many_are_begun_at_once_and_each_is_told_what_became_of_it(self, store: Store) -> None:
        store.add_algorithm(algorithm("taken"), {})
        names = [f"a{number % 20}" if number % 7 else "taken" for number in range(60)]
        begun = [store.begin_add_algorithm(algorithm(name), {"of": name}) for name in names]
        outcomes = [one.exception(timeout=60) for one in begun]
        assert all(outcome is None or isinstance(outcome, NameTaken) for outcome in outcomes)
        firsts = [names.index(name) for name in dict.fromkeys(names) if name != "taken"]
        assert [number for number, outcome in enumerate(outcomes) if outcome is None] == sorted(firsts)
        for name in {*names} - {"taken"}:
            assert store.algorithm(name) == algorithm(name)
            assert store.algorithm_document(name) == describe(algorithm(name))
            assert store.tags(algorithm(name).arn) == {"of": name}
        assert store.tags(algorithm("taken").arn) == {}

    def test_no_change_is_lost_when_many_change_one_row(self, store: Store) -> None:
        store.add_job(TRAINING, {})

        def count(_: int) -> None:
            store.change_job("training/job", lambda job: replace(job, modified_at=job.modified_at + 1))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(count, range(80)))
        job = store.training_job("job")
        assert job is not None
        assert job.modified_at == TRAINING.modified_at + 80

    def test_an_event_counts_once(self, store: Store) -> None:
        store.add_job(TRAINING, {})
        first = event(
            "training/job", 1, 1001.0, stage="Training", metrics=[MetricPoint(name="loss", value=0.5, at=1.0)]
        )
        once = store.apply_event(first)
        assert store.apply_event(first) == once == store.training_job("job")
        assert (store.last_event("training/job", 1), store.last_event("training/job", 2)) == (1, 0)
        done = Outcome(ending="Completed")
        second = event("training/job", 2, 1002.0, outcome=done)
        other = event("training/job", 1, 1003.0, instance=2, outcome=done)
        ended = store.apply_events([first, second, other])
        assert ended.status == "Completed"
        assert store.unfinished_jobs() == []
        assert store.job_keys() == ["training/job"]

    def test_a_job_that_is_being_deleted_is_unfinished_until_it_is_gone(self, store: Store) -> None:
        store.add_job(TRAINING, {"k": "v"})
        store.add_job(TRANSFORM, {})
        store.change_job("training/job", lambda job: fail(job, Failure(fault="client", message="no"), 1002.0))
        assert store.unfinished_jobs() == ["transform/job"]
        store.change_job("training/job", lambda job: request_job_delete(cast(TrainingJob, job), 1003.0))
        assert store.unfinished_jobs() == ["training/job", "transform/job"]
        store.remove_job("training/job")
        store.remove_job("training/job")
        assert store.training_job("job") is None
        assert store.tags(TRAINING.spec.arn) is None
        assert store.unfinished_jobs() == ["transform/job"]
        store.add_job(TRAINING, {})

    def test_removing_an_algorithm_takes_its_tags_and_frees_its_name(self, store: Store) -> None:
        store.add_algorithm(algorithm("a"), {"k": "v"})
        store.remove_algorithm("a")
        store.remove_algorithm("a")
        assert store.algorithm("a") is None
        assert store.tags(algorithm("a").arn) is None
        store.add_algorithm(algorithm("a"), {})
        assert store.tags(algorithm("a").arn) == {}

    def test_tags_keep_their_order_and_their_limit(self, store: Store) -> None:
        arn = algorithm("a").arn
        store.add_algorithm(algorithm("a"), {"b": "1"})
        after: Mapping[str, str] = store.add_tags(arn, {"a": "2", "b": "3"}, 3)
        assert list(after.items()) == [("b", "3"), ("a", "2")]
        with pytest.raises(ValueError, match="would have 4 tags; at most 3 are allowed"):
            store.add_tags(arn, {"c": "4", "d": "5"}, 3)
        store.remove_tags(arn, ["b", "unknown"])
        assert store.tags(arn) == {"a": "2"}

    def test_a_lease_has_one_holder_until_it_runs_out(self, store: Store) -> None:
        assert store.take_lease("k", "one", 1000.0)
        assert not store.take_lease("k", "other", 1000.0)
        assert store.take_lease("k", "one", -1.0)  # renewed to have run out
        assert store.take_lease("k", "other", 1000.0)
        store.release_lease("k", "one")
        assert not store.take_lease("k", "one", 1000.0)
        store.release_lease("k", "other")
        assert store.take_lease("k", "here.one", 1000.0)
        store.void_leases()
        assert store.take_lease("k", "other", 1000.0)

    def test_of_many_who_want_a_lease_one_gets_it(self, store: Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda number: store.take_lease("k", f"holder{number}", 1000.0), range(8)))
        assert sum(taken) == 1

    def test_a_change_with_a_lost_lease_is_refused_and_changes_nothing(self, store: Store) -> None:
        store.add_job(TRAINING, {})
        store.add_algorithm(algorithm("a"), {})
        for key in ("training/job", "algorithm/a"):
            store.take_lease(key, "one", -1.0)
            store.take_lease(key, "other", 1000.0)
        for change in (
            lambda: store.change_job("training/job", lambda job: request_stop(job, 1.0), "one"),
            lambda: store.apply_event(event("training/job", 1, 1.0, stage="Training"), "one"),
            lambda: store.change_algorithm("a", begin_validation, "one"),
            lambda: store.remove_algorithm("a", "one"),
            lambda: store.remove_job("training/job", "one"),
        ):
            with pytest.raises(LeaseLost, match="held by other"):
                change()
        assert store.training_job("job") == TRAINING
        assert store.algorithm("a") == algorithm("a")
        assert store.change_algorithm("a", begin_validation, "other").status == "InProgress"
