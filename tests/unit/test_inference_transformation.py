"""Transformations of any objects: order kept, all or nothing for each object, never more at once than allowed."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from sagestone.inference.connection import Answer
from sagestone.inference.invoke import CallFailed
from sagestone.inference.objects import InputObject
from sagestone.inference.parameters import BatchStrategy, Parameters
from sagestone.inference.pipeline import Pipeline
from sagestone.inference.reading import ObjectReader
from sagestone.inference.split import Lines
from sagestone.inference.spool import Spool
from sagestone.inference.transformation import Transformation
from sagestone.s3.client import NoSuchKey, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage.storage import open_storage
from sagestone.s3.uri import S3Uri

SCRATCH = Path(tempfile.gettempdir())
RECORD = st.sampled_from([b"fine\n", b"quick\n", b"slow\n", b"bad\n", b"\n"])
OBJECTS = st.lists(st.lists(RECORD, max_size=40).map(b"".join), min_size=1, max_size=6)


class Container:
    """Answers in capitals, slowly where it is asked to, and refuses what is bad."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = self.busiest = 0

    def invoke(self, pieces: Callable[[], Iterator[bytes | memoryview]], size: int | None) -> Answer:
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        try:
            body = b"".join(bytes(piece) for piece in pieces())
            assert len(body) == size
            if b"slow" in body:
                time.sleep(0.002)
            if b"bad" in body:
                raise CallFailed("the container answered HTTP 400", fault="client", status=400)
            spool = Spool(SCRATCH, 1000)
            spool.write(body.upper())
            return Answer(200, "OK", "text/csv", spool)
        finally:
            with self._lock:
                self._busy -= 1


def first_failure(content: bytes, strategy: BatchStrategy) -> str | None:
    """Which part of an object the failure has to name."""
    lines = content.splitlines()
    if b"bad" not in lines:
        return None
    if strategy == "SingleRecord":
        return f"record {lines.index(b'bad') + 1}"
    return f"records 1-{len(lines)}" if len(lines) > 1 else "record 1"


@given(OBJECTS, st.integers(1, 5), st.sampled_from(["SingleRecord", "MultiRecord"]))
@settings(max_examples=40, deadline=None)
def test_every_object_is_whole_or_absent_and_says_which_record_was_bad(
    contents: list[bytes], concurrency: int, strategy: BatchStrategy
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        storage = open_storage(Path(scratch) / "s3")
        storage.buckets.create("bucket", "us-east-1", time.time())
        storage.close()
        s3, container = EmbeddedS3(Path(scratch) / "s3"), Container()
        objects = []
        for number, content in enumerate(contents):
            uri, output = S3Uri("bucket", f"in/{number}"), S3Uri("bucket", f"out/{number}")
            write_all(s3, uri, [content])
            objects.append(InputObject(number=number, uri=uri, size=len(content), output=output))
        parameters = Parameters(max_concurrent_transforms=concurrency, max_payload_mb=1, batch_strategy=strategy)
        reader = ObjectReader(
            s3,
            gzipped=False,
            splitter=Lines(),
            parameters=parameters,
            new_spool=lambda: Spool(SCRATCH, 1000),
            most_bytes=1 << 30,
        )
        transformation = Transformation(
            reader,
            cast(Pipeline, container),
            s3,
            assemble_with="None",
            concurrency=concurrency,
            check=lambda: None,
        )
        finished = list(transformation.run(objects))
        assert [one.source.number for one in finished] == list(range(len(contents)))
        for one, content in zip(finished, contents, strict=True):
            named = first_failure(content, strategy)
            if named is None:
                assert one.failure is None
                with s3.read(one.source.output) as pieces:
                    assert b"".join(pieces) == content.upper()
            else:
                assert str(one.failure) == f"{one.source.uri}, {named}: the container answered HTTP 400"
                assert not _exists(s3, one.source.output)
        assert container.busiest <= concurrency


def _exists(s3: EmbeddedS3, uri: S3Uri) -> bool:
    try:
        s3.head(uri)
    except NoSuchKey:
        return False
    return True
