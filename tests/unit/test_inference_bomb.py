"""One record without an end, where a request has no limit: it fills no disk."""

import gzip
import tempfile
import time
from pathlib import Path

import pytest

from sagestone.domain.transform_job import SplitType
from sagestone.inference.objects import InputObject, ObjectFailed
from sagestone.inference.parameters import Parameters
from sagestone.inference.reading import ObjectReader
from sagestone.inference.split import splitter
from sagestone.inference.spool import Spool
from sagestone.s3.client import write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage.storage import open_storage
from sagestone.s3.uri import S3Uri

_MOST = 100_000
_LINE = bytes(3_000_000)
_RECORD = b"\x0a\x23\xd7\xce" + (3_000_000).to_bytes(4, "little") + _LINE


@pytest.mark.parametrize(("split_type", "content"), [("Line", _LINE), ("RecordIO", _RECORD)])
def test_a_record_that_never_ends_is_refused(tmp_path: Path, split_type: SplitType, content: bytes) -> None:
    storage = open_storage(tmp_path / "s3")
    storage.buckets.create("bucket", "us-east-1", time.time())
    storage.close()
    s3, uri = EmbeddedS3(tmp_path / "s3"), S3Uri("bucket", "bomb")
    packed = gzip.compress(content)
    write_all(s3, uri, [packed])
    spools: list[Spool] = []

    def new_spool() -> Spool:
        spools.append(Spool(Path(tempfile.gettempdir()), 1000))
        return spools[-1]

    reader = ObjectReader(
        s3,
        gzipped=True,
        splitter=splitter(split_type),
        parameters=Parameters(max_payload_mb=0, batch_strategy="SingleRecord"),
        new_spool=new_spool,
        most_bytes=_MOST,
    )
    source = InputObject(number=0, uri=uri, size=len(packed), output=S3Uri("bucket", "out"))
    with pytest.raises(ObjectFailed, match=f"an instance holds at most {_MOST} bytes of a request"):
        list(reader.requests(source))
    assert max(spool.size for spool in spools) <= _MOST
