"""Several services on one PostgreSQL database: what each may take up, and what none does to another."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from sagestone.domain.event import Outcome
from sagestone.domain.failure import Failure
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import fail, new_training_job, place, request_job_delete
from sagestone.store.database import Connection
from sagestone.store.interface import LeaseLost, NameTaken, Store
from sagestone.store.postgres.address import read_address
from sagestone.store.postgres.open import open_postgres
from sagestone.store.postgres.pool import PostgresDatabase
from sagestone.store.postgres.services import Disagreement, Member
from tests.contract.stores import describe, in_postgres
from tests.documents import algorithm, event, package, training_spec
from tests.postgres import postgres_url, schema_for

pytestmark = pytest.mark.postgres

JOB = new_training_job(training_spec(), 1000.5)
KEY = "training/job"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """The store as two services have it; a silent one is gone after a second."""
    here, there = (in_postgres(tmp_path, home=home, patience_seconds=1.0) for home in ("here", "there"))
    yield here, there
    here.close()
    there.close()


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_each_sees_what_the_other_wrote(two: tuple[Store, Store]) -> None:
    here, there = two
    here.add_algorithm(algorithm("a"), {"k": "v"})
    assert there.algorithm("a") == algorithm("a")
    with pytest.raises(NameTaken):
        there.add_algorithm(algorithm("a"), {})
    there.remove_algorithm("a")
    assert here.algorithm("a") is None


def test_what_another_has_a_lease_on_is_not_offered(two: tuple[Store, Store]) -> None:
    here, there = two
    here.add_algorithm(algorithm("a"), {})
    here.add_job(JOB, {})
    here.add_resource(package("p"), {})
    assert there.unfinished_resources() == ["algorithm/a", "model-package/p"]
    assert there.unfinished_jobs() == [KEY]
    for key in ("algorithm/a", KEY):
        assert here.take_lease(key, "here.one", 1000.0)
    assert there.unfinished_resources() == ["model-package/p"]
    assert there.unfinished_jobs() == []
    assert here.unfinished_resources() == ["algorithm/a", "model-package/p"]
    assert here.unfinished_jobs() == [KEY]
    here.take_lease(KEY, "here.one", -1.0)
    assert there.unfinished_jobs() == [KEY]


def test_voiding_leases_leaves_those_of_others(two: tuple[Store, Store]) -> None:
    here, there = two
    here.take_lease("a", "here.one", 1000.0)
    there.take_lease("b", "there.one", 1000.0)
    here.void_leases()
    assert there.take_lease("a", "there.one", 1000.0)
    assert not here.take_lease("b", "here.two", 1000.0)


def test_a_job_belongs_to_the_service_that_has_its_instances(two: tuple[Store, Store]) -> None:
    here, there = two
    here.add_job(JOB, {})
    here.take_lease(KEY, "here.one", 1000.0)
    here.change_job(KEY, lambda job: place(job, "sandbox", 1001.0), "here.one")
    here.release_lease(KEY, "here.one")
    assert (here.unfinished_jobs(), there.unfinished_jobs()) == ([KEY], [])
    there.change_job(KEY, lambda job: replace(job, modified_at=1002.0))  # whoever changes it, it stays where it is
    assert (here.unfinished_jobs(), there.unfinished_jobs()) == ([KEY], [])
    there.change_job(KEY, lambda job: fail(job, Failure(fault="client", message="no"), 1003.0))
    there.change_job(KEY, lambda job: request_job_delete(cast(TrainingJob, job), 1004.0))
    assert (here.unfinished_jobs(), there.unfinished_jobs()) == ([KEY], [])


def test_without_instances_it_is_anybodys_again(two: tuple[Store, Store]) -> None:
    here, there = two
    here.add_job(JOB, {})
    here.change_job(KEY, lambda job: place(job, "sandbox", 1001.0))
    assert there.unfinished_jobs() == []
    here.change_job(KEY, lambda job: replace(job, runtime=None))
    assert there.unfinished_jobs() == [KEY]


def test_jobs_of_a_service_that_is_gone_are_told(two: tuple[Store, Store]) -> None:
    here, there = two
    here.add_job(JOB, {})
    here.change_job(KEY, lambda job: place(job, "sandbox", 1001.0))
    assert there.orphans() == []
    here.close()
    eventually(lambda: bool(there.orphans()))
    (orphan,) = there.orphans()
    assert (orphan.key, orphan.host) == (KEY, "here.example")
    assert time.time() - 60 < orphan.heard_at < time.time()
    assert there.unfinished_jobs() == []


def test_a_service_that_comes_back_has_its_jobs(two: tuple[Store, Store], tmp_path: Path) -> None:
    here, there = two
    here.add_job(JOB, {})
    here.change_job(KEY, lambda job: place(job, "sandbox", 1001.0))
    here.close()
    eventually(lambda: bool(there.orphans()))
    again = in_postgres(tmp_path, home="here")
    assert (again.unfinished_jobs(), there.unfinished_jobs(), there.orphans()) == ([KEY], [], [])
    again.close()


def test_after_a_time_without_the_database_nobody_is_gone(tmp_path: Path) -> None:
    gone = in_postgres(tmp_path, home="gone")
    gone.add_job(JOB, {})
    gone.change_job(KEY, lambda job: place(job, "sandbox", 1001.0))
    gone.close()
    store = in_postgres(tmp_path, home="new", patience_seconds=0.5)
    assert store.orphans() == []  # it has only just come
    eventually(lambda: bool(store.orphans()))
    store.close()


def test_one_hears_that_another_changed_something(two: tuple[Store, Store]) -> None:
    here, there = two
    heard = threading.Event()
    there.watch(heard.set)
    here.add_algorithm(algorithm("a"), {})
    assert heard.wait(30)
    here.add_job(JOB, {})
    eventually(heard.is_set)
    heard.clear()
    here.apply_event(event(KEY, 1, 1001.0, outcome=Outcome(ending="Completed")))
    assert heard.wait(30)


def test_no_change_is_lost_when_two_change_one_row(two: tuple[Store, Store]) -> None:
    two[0].add_job(JOB, {})

    def count(number: int) -> None:
        two[number % 2].change_job(KEY, lambda job: replace(job, modified_at=job.modified_at + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(80)))
    job = two[0].training_job("job")
    assert job is not None
    assert job.modified_at == JOB.modified_at + 80


def test_changes_of_the_same_many_all_come_about(two: tuple[Store, Store]) -> None:
    names = [f"a{number}" for number in range(12)]
    for name in names:
        two[0].add_algorithm(algorithm(name, created_at=1000.0), {})

    def count(number: int) -> None:
        order = names if number % 2 else names[::-1]
        for name in order:
            two[number % 2].change_algorithm(name, lambda one: replace(one, created_at=one.created_at + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(8)))
    found = [two[0].algorithm(name) for name in names]
    assert {one.created_at for one in found if one} == {1008.0}


def test_a_change_that_the_database_undoes_for_another_is_made_again(tmp_path: Path) -> None:
    in_postgres(tmp_path).close()
    database = PostgresDatabase(read_address(postgres_url()), schema_for(tmp_path))
    add = "INSERT INTO leases (key, holder, expires_at) VALUES (?, '', 0)"
    database.write(lambda connection: connection.executemany(add, [("a",), ("b",)]))
    both_have_one = threading.Barrier(2)
    tries: list[str] = []

    def count(first: str, second: str) -> None:
        def change(connection: Connection) -> None:
            tries.append(first)
            connection.execute("UPDATE leases SET expires_at = expires_at + 1 WHERE key = ?", (first,))
            if len(tries) <= 2:
                both_have_one.wait(30)
            connection.execute("UPDATE leases SET expires_at = expires_at + 1 WHERE key = ?", (second,))

        database.write(change)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count, "ab", "ba"))
    assert database.reader().execute("SELECT expires_at FROM leases").fetchall() == [(2.0,), (2.0,)]
    assert len(tries) >= 3
    database.close()


def test_tags_stay_within_their_limit_whoever_adds(two: tuple[Store, Store]) -> None:
    arn = algorithm("a").arn
    two[0].add_algorithm(algorithm("a"), {})

    def add(number: int) -> bool:
        try:
            two[number % 2].add_tags(arn, {f"k{number}": ""}, 5)
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(16))) == 5
    assert len(two[0].tags(arn) or {}) == 5


def test_a_lease_that_was_taken_over_refuses_the_old_holder(two: tuple[Store, Store]) -> None:
    here, there = two
    here.add_job(JOB, {})
    here.take_lease(KEY, "here.one", -1.0)
    assert there.take_lease(KEY, "there.one", 1000.0)
    with pytest.raises(LeaseLost, match=r"held by there\.one"):
        here.change_job(KEY, lambda job: place(job, "sandbox", 1001.0), "here.one")
    assert there.unfinished_jobs() == [KEY]


def test_services_that_would_not_understand_each_other_are_refused(tmp_path: Path) -> None:
    def start(home: str, region: str) -> Store:
        member = Member(home=home, host=f"{home}.example", agreed={"region": region}, patience_seconds=300.0)
        return open_postgres(
            read_address(postgres_url()), schema=schema_for(tmp_path), member=member, describe=describe
        )  # fmt: skip

    first = start("here", "eu-central-1")
    with pytest.raises(Disagreement, match=r"here\.example.*region is us-east-1 here and eu-central-1 there"):
        start("there", "us-east-1")
    start("there", "eu-central-1").close()
    start("here", "us-east-1").close()  # the same service, set up anew
    first.close()


def test_a_program_may_write_what_a_text_of_the_database_cannot_hold(two: tuple[Store, Store]) -> None:
    here, _ = two
    here.add_job(JOB, {})
    failed = here.change_job(KEY, lambda job: fail(job, Failure(fault="algorithm", message="a\0b"), 1001.0))
    assert here.training_job("job") == failed
    assert "a\0b" in (failed.failure_reason or "")
