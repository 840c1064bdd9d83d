"""A store that is away for a moment costs no job, and one that stays away is not called the client's fault."""

import threading
from collections.abc import Callable, Iterator

import pytest

from sagestone.s3.client import S3Unreachable, SourceObject, fault_of, write_all
from sagestone.s3.patience import Tries, patiently
from sagestone.s3.remote import RemoteS3
from sagestone.s3.uri import S3Uri
from tests.breaking_proxy import BreakingProxy
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, running_face

BUCKET = "data"
URI = S3Uri(BUCKET, "k")
LARGE = bytes(9 * 1024 * 1024)  # in two parts


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BreakingProxy]:
    """In front of a store with one bucket."""
    with running_face(tmp_path_factory.mktemp("store")) as face, BreakingProxy(face.port, []) as made:
        face.storage.buckets.create(BUCKET, REGION, 0.0)
        yield made


def _client(proxy: BreakingProxy, patience_seconds: float) -> RemoteS3:
    endpoint = f"http://127.0.0.1:{proxy.port}"
    return RemoteS3(endpoint, REGION, ACCESS_KEY, SECRET_KEY, patience_seconds=patience_seconds)


def _read(s3: RemoteS3) -> bytes:
    with s3.read(URI) as pieces:
        return b"".join(pieces)


CALLS: dict[str, Callable[[RemoteS3], object]] = {
    "upload": lambda s3: write_all(s3, URI, [b"content"]),
    "multipart": lambda s3: write_all(s3, S3Uri(BUCKET, "large"), [LARGE]),
    "list": lambda s3: [each.key for each in s3.list(S3Uri(BUCKET, "k"))],
    "head": lambda s3: s3.head(URI).size,
    "read": _read,
    "range": lambda s3: s3.read_range(SourceObject(URI, 7, s3.head(URI).etag), 0, 7),
    "delete": lambda s3: s3.delete(S3Uri(BUCKET, "other")),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_store_that_comes_back_is_asked_again(proxy: BreakingProxy, name: str) -> None:
    write_all(_client(proxy, 0.0), URI, [b"content"])
    expected = CALLS[name](_client(proxy, 0.0))
    proxy.refusing.set()
    back = threading.Timer(1.5, proxy.refusing.clear)
    back.start()
    try:
        assert CALLS[name](_client(proxy, 60.0)) == expected
    finally:
        back.cancel()
        proxy.refusing.clear()


def test_one_that_stays_away_is_ours_to_answer_for(proxy: BreakingProxy) -> None:
    proxy.refusing.set()
    try:
        with pytest.raises(S3Unreachable, match="s3://data/k") as failure:
            _client(proxy, 0.0).head(URI)
    finally:
        proxy.refusing.clear()
    assert fault_of(failure.value) == "internal"


def test_patience_begins_anew_when_something_came() -> None:
    gone = S3Unreachable("gone")
    tries = Tries(0.1)
    for _ in range(3):
        tries.failed(gone)  # waits longer than patience goes
        tries.went_well()
    tries.failed(gone)
    with pytest.raises(S3Unreachable):
        tries.failed(gone)
    asked: list[int] = []

    def ask() -> int:
        asked.append(1)
        if len(asked) < 3:
            raise gone
        return 7

    assert patiently(60.0, ask) == 7
