"""The quick ways to a remote store: that they are taken, keep every key, and leave what goes wrong to the usual way."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from sagestone.s3.client import AccessDenied, NoSuchKey, ObjectChanged, ObjectInfo, SourceObject, level_key, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.remote import RemoteS3
from sagestone.s3.remote_list import QuickList
from sagestone.s3.remote_plain import PlainFetch
from sagestone.s3.remote_sign import Signer
from sagestone.s3.uri import S3Uri
from tests.contract.test_s3_client import BUCKET, ODD_KEYS
from tests.many_objects import add_objects
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, RunningFace, running_face

CONTENT = bytes(range(256)) * 4096 + b"end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A running store, and what was put into it."""

    face: RunningFace
    directory: Path

    def put(self, key: str, content: bytes = CONTENT) -> SourceObject:
        s3 = EmbeddedS3(self.directory)
        write_all(s3, S3Uri(BUCKET, key), [content])
        info = s3.head(S3Uri(BUCKET, key))
        return SourceObject(S3Uri(BUCKET, key), info.size, info.etag)

    def signer(self, endpoint: str = "", secret: str = SECRET_KEY) -> Signer:
        return Signer(endpoint or self.face.endpoint, REGION, ACCESS_KEY, secret, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with running_face(tmp_path / "store") as face:
        face.storage.buckets.create(BUCKET, REGION, 0.0)
        yield Store(face=face, directory=tmp_path / "store")


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_comes_straight_from_the_socket(store: Store, tmp_path: Path, key: str) -> None:
    found, plain = store.put(key), PlainFetch(store.signer())
    with (tmp_path / "file").open("w+b") as file:
        assert plain.to_file(found, file.fileno(), 1000, found.size) == found.size
        assert plain.to_file(found, file.fileno(), 0, 1000) == 1000
        assert file.read() == CONTENT
    assert plain.to_memory(found, 300, 5300) == CONTENT[300:5300]


def test_another_object_or_a_wrong_key_gives_nothing(store: Store, tmp_path: Path) -> None:
    found = store.put("k")
    store.put("k", CONTENT[::-1])
    with (tmp_path / "file").open("w+b") as file:
        assert PlainFetch(store.signer()).to_file(found, file.fileno(), 0, found.size) == 0
        assert PlainFetch(store.signer(secret="wrong")).to_file(found, file.fileno(), 0, found.size) == 0
        with pytest.raises(ObjectChanged):
            RemoteS3(store.face.endpoint, REGION, ACCESS_KEY, SECRET_KEY).fetch(found, file.fileno(), 0, found.size)


@contextmanager
def _cutting(port: int, after: int) -> Iterator[str]:
    """A relay whose first connection is cut after so many bytes of answer; its endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        cut = threading.Event()

        def relay(client: socket.socket) -> None:
            left = after if not cut.is_set() else 1 << 40
            cut.set()
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                threading.Thread(target=_pump, args=(client, server, lambda _: True), daemon=True).start()

                def may_pass(count: int) -> bool:
                    nonlocal left
                    left -= count
                    return left > 0

                _pump(server, client, may_pass)
                client.shutdown(socket.SHUT_RDWR)

        def accept() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=relay, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def _pump(source: socket.socket, target: socket.socket, may_pass: Callable[[int], bool]) -> None:
    try:
        while (data := source.recv(65536)) and may_pass(len(data)):
            target.sendall(data)
    except OSError:
        return


@pytest.mark.parametrize("after", [100, 300_000])
def test_a_stream_that_breaks_goes_on_at_its_byte(store: Store, tmp_path: Path, after: int) -> None:
    content = os.urandom(2_000_000)
    found = store.put("k", content)
    with _cutting(store.face.port, after) as endpoint, (tmp_path / "file").open("w+b") as file:
        s3 = RemoteS3(endpoint, REGION, ACCESS_KEY, SECRET_KEY)
        s3.fetch(found, file.fileno(), 0, found.size)
        assert file.read() == content
    with _cutting(store.face.port, after) as endpoint:
        assert RemoteS3(endpoint, REGION, ACCESS_KEY, SECRET_KEY).read_range(found, 0, found.size) == content


@pytest.mark.parametrize("key", ["k", "a//b"])
@pytest.mark.parametrize("after", [100, 40_000])
def test_a_small_object_is_whole_though_its_answer_was_not(store: Store, key: str, after: int) -> None:
    content = os.urandom(60_000)
    found = store.put(key, content)
    with _cutting(store.face.port, after) as endpoint:
        assert RemoteS3(endpoint, REGION, ACCESS_KEY, SECRET_KEY).read_range(found, 0, found.size) == content


def test_a_small_object_that_changed_or_is_gone_is_told(store: Store) -> None:
    found = store.put("k", b"as listed")
    s3 = RemoteS3(store.face.endpoint, REGION, ACCESS_KEY, SECRET_KEY)
    store.put("k", b"now other")
    with pytest.raises(ObjectChanged, match="s3://data/k"):
        s3.read_range(found, 0, found.size)
    s3.delete(found.uri)
    with pytest.raises(NoSuchKey, match="s3://data/k"):
        s3.read_range(found, 0, found.size)


def _eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class FailingSigner(Signer):
    """Signs so often, then there is no way any more."""

    left = 1

    def url(self, *arguments: object, **named: object) -> str:
        if not self.left:
            raise OSError("no more")
        self.left -= 1
        return super().url(*arguments, **named)  # type: ignore[arg-type]


def test_a_list_is_whole_or_says_where_it_ended(store: Store) -> None:
    for key in ODD_KEYS:
        store.put(key, b"x")
    for number in range(1010):
        store.put(f"z/{number:04}", b"")
    expected = sorted([*ODD_KEYS, *(f"z/{number:04}" for number in range(1010))], key=str.encode)
    quick = QuickList(store.signer(), S3Uri(BUCKET, ""))
    assert [level_key(info) for info in quick] == expected
    assert quick.is_whole
    (first, *_) = QuickList(store.signer(), S3Uri(BUCKET, "z/"))
    assert isinstance(first, ObjectInfo)
    known = EmbeddedS3(store.directory).head(S3Uri(BUCKET, "z/0000"))
    assert (first.key, first.size, first.etag) == (known.key, known.size, known.etag)
    assert abs(first.modified_at - known.modified_at) < 0.01
    asked: list[str] = []

    async def note(request: web.BaseRequest) -> None:
        asked.append(request.path_qs)

    with running_face(store.directory, arrived=note) as face:
        pages = QuickList(store.signer(face.endpoint), S3Uri(BUCKET, "")).__iter__()
        next(pages)
        _eventually(lambda: len(asked) == 2)  # the next page, before the first one is used up
        pages.close()
    cut = QuickList(FailingSigner(store.face.endpoint, REGION, ACCESS_KEY, SECRET_KEY, None), S3Uri(BUCKET, ""))
    assert [level_key(info) for info in cut] == expected[:1000]
    assert (cut.is_whole, cut.last) == (False, expected[999])
    s3 = RemoteS3(store.face.endpoint, REGION, ACCESS_KEY, SECRET_KEY)
    s3._signer = FailingSigner(store.face.endpoint, REGION, ACCESS_KEY, SECRET_KEY, None)
    assert [info.key for info in s3.list(S3Uri(BUCKET, ""))] == expected


def test_a_refusal_is_told_by_the_usual_way(store: Store) -> None:
    quick = QuickList(store.signer(secret="wrong"), S3Uri(BUCKET, ""))
    assert list(quick) == []
    assert not quick.is_whole
    with pytest.raises(AccessDenied):
        list(RemoteS3(store.face.endpoint, REGION, ACCESS_KEY, "wrong").list(S3Uri(BUCKET, "")))


def test_a_level_of_many_pages_goes_on_in_the_usual_way_when_it_is_cut(store: Store) -> None:
    """By both ways, and the second from the middle: endpoints differ in where a folded list goes on."""
    names = [f"{number:04}" for number in range(1500)]
    add_objects(store.directory, BUCKET, [f"l/{name}{'/x' if int(name) % 2 else ''}" for name in names])
    expected = [f"l/{name}{'/' if int(name) % 2 else ''}" for name in names]
    s3 = RemoteS3(store.face.endpoint, REGION, ACCESS_KEY, SECRET_KEY)
    assert [level_key(item) for item in s3.level(S3Uri(BUCKET, "l/"))] == expected
    s3._signer = FailingSigner(store.face.endpoint, REGION, ACCESS_KEY, SECRET_KEY, None)
    assert [level_key(item) for item in s3.level(S3Uri(BUCKET, "l/"))] == expected
    s3._signer = None
    assert [level_key(item) for item in s3.level(S3Uri(BUCKET, "l/"))] == expected
