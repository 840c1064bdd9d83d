"""A PostgreSQL server that goes away and comes back: errors that say so, nothing lost, nothing to be started again."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.compose.examine_database import examine_database
from sagestone.control.controller import Controller
from sagestone.domain.transition import begin_validation
from sagestone.settings import Settings
from sagestone.store.interface import ListQuery, Store, StoreUnavailable
from sagestone.store.postgres.open import open_postgres
from sagestone.store.postgres.services import Member
from tests.contract.stores import describe
from tests.documents import algorithm, plan
from tests.postgres import PostgresServer
from tests.unit.fault_placement import FaultPlacement

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def store(server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[Store]:
    """In a schema of the test's own."""
    member = Member(home="here", host="here.example", agreed={}, patience_seconds=300.0)
    schema = f"t_{abs(hash(request.node.name)):x}"
    opened = open_postgres(server.address, schema=schema, member=member, describe=describe)
    yield opened
    opened.close()


def test_while_it_is_away_everything_says_so_and_afterwards_works(server: PostgresServer, store: Store) -> None:
    store.add_algorithm(algorithm("kept"), {"k": "v"})
    server.stop()
    for call in (
        lambda: store.add_algorithm(algorithm("b"), {}),
        lambda: store.algorithm("kept"),
        lambda: store.list_algorithms(ListQuery()),
        lambda: store.change_algorithm("kept", begin_validation),
        lambda: store.take_lease("k", "here.one", 30.0),
    ):
        with pytest.raises(StoreUnavailable, match="postgresql://sagestone@"):
            call()
    server.start()
    assert store.algorithm("kept") == algorithm("kept")
    store.add_algorithm(algorithm("b"), {})
    assert [row.name for row in store.list_algorithms(ListQuery(sort_by="Name")).rows] == ["b", "kept"]


def test_doctor_tells_whether_it_answers(server: PostgresServer, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database=server.url)
    (found,) = examine_database(settings)
    assert (found.level, found.text.partition(" ")[0]) == ("good", "PostgreSQL")
    server.stop()
    (found,) = examine_database(settings)
    server.start()
    assert found.level == "bad"
    assert "cannot be reached" in found.text
    (found,) = examine_database(Settings(home=tmp_path, database="postgresql://nobody@h"))
    assert "no database" in found.text
    assert examine_database(Settings(home=tmp_path)) == []


def test_connections_that_rested_through_a_restart_are_nobodys_trouble(server: PostgresServer, store: Store) -> None:
    begin = threading.Barrier(6)

    def read(_: int) -> None:
        begin.wait()
        store.algorithm("a")

    threads = [threading.Thread(target=read, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.stop(at_once=True)
    server.start()
    store.add_algorithm(algorithm("a"), {})
    assert store.algorithm("a") == algorithm("a")


def test_what_was_answered_is_there_after_the_server_died(server: PostgresServer, store: Store) -> None:
    answered: list[str] = []
    died = threading.Event()

    def add(worker: int) -> None:
        for number in range(100_000):
            name = f"a-{worker}-{number}"
            try:
                store.add_algorithm(algorithm(name), {"tag": name})
            except StoreUnavailable:
                died.set()
                return
            answered.append(name)

    threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while len(answered) < 100:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    server.stop(at_once=True)
    for thread in threads:
        thread.join()
    server.start()
    assert died.is_set()
    for name in answered:
        assert store.tags(algorithm(name).arn) == {"tag": name}
        assert store.algorithm_document(name) is not None


def test_the_controller_goes_on_when_it_is_back(server: PostgresServer, store: Store) -> None:
    placement = FaultPlacement()
    controller = Controller(store, placement, region="eu-central-1", holder="here.one")
    controller.start()
    server.stop()
    deadline = time.monotonic() + 60
    while controller.breath().rounds < 3:  # it has tried, and found nobody
        controller.hint()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.start()
    store.add_algorithm(algorithm("a", plan=plan()), {})
    controller.hint()
    while (found := store.algorithm("a")) is None or found.status != "Completed":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert controller.stop()


def test_it_stops_though_the_store_is_away(server: PostgresServer, store: Store) -> None:
    controller = Controller(store, FaultPlacement(), region="eu-central-1", holder="here.one")
    controller.start()
    server.stop()
    try:
        controller.hint()
        assert controller.stop()
    finally:
        server.start()
