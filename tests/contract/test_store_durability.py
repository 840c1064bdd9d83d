"""A store's answer is a promise: what was answered is there after the process was killed."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sagestone.store.connections import open_writer
from sagestone.store.migrations import STEPS, NewerDatabase
from sagestone.store.sqlite_database import open_sqlite
from tests.contract.stores import STORES, describe
from tests.documents import algorithm

_WRITER = """
import sys, threading
from pathlib import Path
from tests.contract.stores import STORES
from tests.documents import algorithm

store = STORES[sys.argv[1]](Path(sys.argv[2]))
lock = threading.Lock()

def add(worker):
    for number in range(100000):
        name = f"a-{worker}-{number}"
        store.add_algorithm(algorithm(name), {"tag": name})
        with lock:
            sys.stdout.write(name + "\\n")
            sys.stdout.flush()

for worker in range(4):
    threading.Thread(target=add, args=(worker,)).start()
"""


@pytest.mark.parametrize("kind", sorted(STORES))
def test_everything_answered_before_a_kill_is_there(kind: str, tmp_path: Path) -> None:
    for enough in (1, 30, 200):
        directory = tmp_path / str(enough)
        STORES[kind](directory).close()  # so that the server, where there is one, is this process's own
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, kind, str(directory)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert writer.stdout is not None
        answered = [writer.stdout.readline().decode().strip() for _ in range(enough)]
        os.kill(writer.pid, signal.SIGKILL)
        answered += writer.stdout.read().decode().split("\n")[:-1]
        writer.stdout.close()
        writer.wait()
        store = STORES[kind](directory)
        for name in answered:
            assert store.algorithm(name) is not None
            assert store.tags(algorithm(name).arn) == {"tag": name}
            assert store.algorithm_document(name) is not None
        store.close()


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "new" / "state.sqlite3", describe)
    store.add_algorithm(algorithm("a"), {})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    store.close()
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


def test_a_newer_database_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    open_sqlite(path, describe).close()
    connection = open_writer(path)
    connection.execute("INSERT INTO migrations VALUES (?, 'later')", (len(STEPS) + 1,))
    connection.close()
    with pytest.raises(NewerDatabase, match="start that version, or another home directory"):
        open_sqlite(path, describe)


def test_stored_answers_are_made_anew_when_their_shape_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    store = open_sqlite(path, lambda one: b"old", describe_version="1")
    store.add_algorithm(algorithm("a"), {})
    store.close()
    same = open_sqlite(path, lambda one: b"new", describe_version="1")
    assert same.algorithm_document("a") == b"old"
    same.close()
    newer = open_sqlite(path, lambda one: b"new", describe_version="2")
    assert newer.algorithm_document("a") == b"new"
    newer.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "state.sqlite3", describe)
    store.close()
    store.close()
    with pytest.raises(Exception, match="the store is closed"):
        store.add_algorithm(algorithm("a"), {})
