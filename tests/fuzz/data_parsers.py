"""The parsers of what lies in objects: records, manifests, rows, JSON, gzip."""

import gzip
import tempfile
from pathlib import Path
from random import Random

from sagestone.archive.gunzip import BadGzip, gunzip
from sagestone.channels.augmented import line_items, manifest_lines
from sagestone.channels.recordio import record
from sagestone.domain.content_format import Format
from sagestone.domain.json_path import BadPath, parse_filter
from sagestone.inference.batch import RecordTooLarge
from sagestone.inference.csv_rows import columns, select_columns
from sagestone.inference.frame_check import checked_frames
from sagestone.inference.framed import RecordDamaged, framed_batches
from sagestone.inference.framing import Framing, RecordIO, TFRecord
from sagestone.inference.json_values import checked, joined, on_one_line, select
from sagestone.inference.record_error import BadRecord
from sagestone.inference.spool import Spool
from sagestone.s3.listing import BadS3Input, parse_manifest
from sagestone.s3.uri import S3Uri
from tests.fuzz.mutate import cut
from tests.fuzz.parser import Parser

_GOLDEN = Path(__file__).parents[1] / "golden"
_SCRATCH = Path(tempfile.gettempdir())
_MANIFEST = S3Uri("data", "train.manifest")


def _golden(pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(_GOLDEN.glob(pattern))]


def _framed(framing: Framing, random: Random, data: bytes) -> None:
    """The two readers of the format agree on what is whole, and joined frames are the object."""
    pieces = cut(random, data)
    single, limit = random.random() < 0.5, random.choice((None, None, 16, 300))
    try:
        for _ in checked_frames(pieces, framing):
            pass
        passes = True
    except RecordDamaged:
        passes = False
    found = b""
    try:
        for batch in framed_batches(
            pieces, framing, single=single, limit=limit, new_spool=lambda: Spool(_SCRATCH, 1 << 20)
        ):
            found += b"".join(bytes(piece) for piece in batch.body.buffers())
            batch.body.close()
    except RecordDamaged:
        assert not passes, "one reader finds damage, the other none"
        raise
    assert passes, "one reader finds damage, the other none"
    assert single or found == data, "the batches are not the object"


def _written(random: Random, data: bytes) -> None:
    """What is written as a record is read back."""
    frames = b"".join(record(data))
    found = b""
    for batch in framed_batches(
        cut(random, frames), RecordIO(), single=True, limit=None, new_spool=lambda: Spool(_SCRATCH, 1 << 20)
    ):
        found += b"".join(bytes(piece) for piece in batch.body.buffers())
        batch.body.close()
    assert found == data, "another payload is read than was written"


def _manifest(random: Random, data: bytes) -> None:
    for place in parse_manifest(data, _MANIFEST):
        assert place.bucket
        assert place.key


def _augmented(random: Random, data: bytes) -> None:
    names = random.choice((["a"], ["a", "b"], ["image-ref", "a"], ["a", "a"]))
    for line in manifest_lines(cut(random, data), _MANIFEST, names):
        assert len(list(line_items(line, _MANIFEST))) == len(names)


def _path(random: Random, data: bytes) -> None:
    format_: Format = random.choice(("text/csv", "application/json", "application/jsonlines"))
    steps = parse_filter(data.decode("utf-8", "surrogateescape"), format_)
    if format_ == "text/csv":
        select_columns([b"a", b"b", b"c"], steps)
    else:
        checked(select(b'{"a": [1, {"b": [2, 3], "c": null}], "b": {"a": "x"}}', steps))


def _row(random: Random, data: bytes) -> None:
    assert b",".join(columns(data)) == data, "the columns are not the row"


def _json(random: Random, data: bytes) -> None:
    value = checked(data)
    checked(joined(value, b"1"))
    on_one_line(value)
    select(
        value, parse_filter(random.choice(("$", "$.a", "$[0]", "$.a.*", "$[*].b", "$['a','b']")), "application/json")
    )


def _gzip(random: Random, data: bytes) -> None:
    left = 64 << 20
    for piece in gunzip(cut(random, data), 65536):
        left -= len(piece)
        assert len(piece) <= 65536
        if left < 0:
            return


_MANIFESTS = [
    b'[{"prefix": "s3://data/p/"}, "a", "b/c", "\\u00e9"]',
    b'\xef\xbb\xbf[{"prefix": "s3://data/"}, "k"]',
    b'[{"prefix": "s3://data/x"},\n "1",\n "2"\n]',
    b'[{"prefix": "s3://data/x"}, ' + b"[" * 100_000,
]
_LINES = [
    b'{"a": 1, "b": {"x": [1, 2.5]}, "image-ref": "s3://data/i.png"}\n{"a": "t", "b": null, "image-ref": "s3://d/j"}\n',
    b'\xef\xbb\xbf{"a": "\\u00e9\\n", "b": true, "image-ref": "https://host/bucket/key%20x"}\r\n\n',
    b'{"a": ' + b'{"a":' * 50_000 + b"\n",
    b'{"b": 1, "a": ' + b"[" * 990 + b"]" * 990 + b"}\n",
]
_PATHS = [b"$", b"$.id", b"$.a.*", b"$[*]", b"$['a','b']", b"$[0,-1]", b"$[1:4]", b"$[0,5:]", b"$.a[1].b[0:]", b"$[:2]"]
_ROWS = [b"1,2,3", b'"a","b""c",,"d,e"', b"", b'a,"b c",\xff', b","]
_VALUES = [
    b'{"a": [1, 2.5e10, {"b": null}], "b": "x\\u00e9\\n", "c": {}}',
    b'[[0, 1], {"b": true}]',
    b'"text"',
    b" -0.0 ",
    b"null",
    b"[" * 1500 + b"]" * 1500,
    b'{"a":' * 1200 + b"1" + b"}" * 1200,
    b"[" * 100_000,
    b"1" * 5000,
]
_ZIPPED = [
    gzip.compress(b"a,b\n" * 500),
    gzip.compress(b"x") + gzip.compress(bytes(3000)) + bytes(20),
    b"",
    gzip.compress(b""),
]
_RECORDS = [b"\x0a\x23\xd7\xce"]

DATA_PARSERS = (
    Parser(
        name="recordio",
        seeds=_golden("recordio/*.rec*"),
        words=_RECORDS,
        read=lambda random, data: _framed(RecordIO(), random, data),
        refuses=(RecordDamaged, RecordTooLarge),
    ),
    Parser(
        name="recordio-written",
        seeds=[b"abc\x0a\x23\xd7\xcedef", b"", b"\x0a\x23\xd7\xce" * 9],
        words=_RECORDS,
        read=_written,
        refuses=(),
    ),
    Parser(
        name="tfrecord",
        seeds=_golden("tfrecord/*.tfrecord"),
        read=lambda random, data: _framed(TFRecord(), random, data),
        refuses=(RecordDamaged, RecordTooLarge),
    ),
    Parser(
        name="manifest",
        seeds=_MANIFESTS,
        words=[b'"s3://', b'{"prefix": "s3://b/"}', b'"", '],
        read=_manifest,
        refuses=(BadS3Input,),
    ),
    Parser(
        name="augmented-manifest",
        seeds=_LINES,
        words=[b'"a": ', b'"image-ref": "s3://', b"{}\n"],
        read=_augmented,
        refuses=(BadS3Input,),
    ),
    Parser(
        name="json-path",
        seeds=_PATHS,
        words=[b"[", b"]", b".*", b"$", b":", b"['a']", b"999999999", b"-1"],
        read=_path,
        refuses=(BadPath, BadRecord),
    ),
    Parser(name="csv-row", seeds=_ROWS, words=[b'"', b'""', b",", b'","'], read=_row, refuses=(BadRecord,)),
    Parser(
        name="json-value",
        seeds=_VALUES,
        words=[b"[", b"{", b'"a":', b"}", b"1e400", b"\\udc00", b"0" * 400],
        read=_json,
        refuses=(BadRecord, RecursionError, UnicodeDecodeError),
        weight=0.5,
    ),
    Parser(name="gzip", seeds=_ZIPPED, read=_gzip, refuses=(BadGzip,)),
)
