"""The parsers of what lies on disk after a crash, sealed or not, and of what containers say of themselves."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec

from sagestone.agent.files import InstanceFiles
from sagestone.agent.run_clock import began_at
from sagestone.channels.directory import ChannelDirectory
from sagestone.channels.journal import Journal
from sagestone.containers.sandbox.record import Record
from sagestone.containers.sandbox.shim import EXIT, SHIM
from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.metric import MetricPoint
from sagestone.inference.parameters import effective
from sagestone.inference.words import own_words
from sagestone.job_logs.names import TRAINING_GROUP, stream_file
from sagestone.job_logs.reader import LogEvent, LogReader
from sagestone.kms.seal import BadSeal, seal, unseal
from sagestone.placement.tail import EventTail
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.copy_operations import read_source
from sagestone.wire.access_file import BadCredentials, read_access
from tests.documents import transform_spec
from tests.fuzz.parser import Parser

_BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
_ROOT_KEY = bytes(range(32))
_SEALED = seal(_ROOT_KEY, b"a data key of a volume, say", b"context")


def _on_disk(read: Callable[[Random, Path, bytes], None]) -> Callable[[Random, bytes], None]:
    """In a directory of its own."""

    def run(random: Random, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            read(random, Path(scratch), data)

    return run


def _events(random: Random, scratch: Path, data: bytes) -> None:
    """The service passes over what is no event; an agent knows the same, or says that it cannot."""
    files = InstanceFiles(scratch)
    files.events.write_bytes(data)
    told = EventTail(files.events).after(0)
    assert files.read_events() == [event for event in told if event.seq > 0], (
        "agent and service differ in what was told"
    )


def _journal(random: Random, scratch: Path, data: bytes) -> None:
    """Nothing but files that it vouches for stays, and no channel's directory is left."""
    path, root = scratch / "journal", scratch / "channel"
    path.write_bytes(data)
    root.mkdir()
    for name, size in (("a", 3), ("b", 5)):
        (root / name).write_bytes(bytes(size))
    directory = ChannelDirectory(root)
    try:
        journal = Journal(path, directory)
        journal.remove_rest()
        journal.close()
    finally:
        directory.close()
    assert {entry.name for entry in scratch.iterdir()} == {"journal", "channel"}


def _log(random: Random, scratch: Path, data: bytes) -> None:
    """Read forwards and backwards, in pages, it is the same; offsets that nobody gave do no harm."""
    path = stream_file(scratch, TRAINING_GROUP, "job/algo-1-1")
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    reader, limit = LogReader(scratch), random.choice((1, 3, 100))

    def page(offset: int | None, *, from_head: bool, **times: int) -> tuple[list[LogEvent], int]:
        found = reader.events(TRAINING_GROUP, "job/algo-1-1", offset=offset, limit=limit, from_head=from_head, **times)
        return found.events, found.forward if from_head else found.backward

    forward: list[LogEvent] = []
    events, offset = page(None, from_head=True)
    while events:
        forward += events
        events, offset = page(offset, from_head=True)
    backward: list[LogEvent] = []
    events, offset = page(None, from_head=False)
    while events:
        backward = [*events, *backward]
        events, offset = page(offset, from_head=False)
    assert forward == backward, "there and back are not the same"
    page(random.choice((1, 7, 2**40, -5)), from_head=random.random() < 0.5)
    page(None, from_head=True, start_ms=random.choice((0, 1, 2**50)), end_ms=random.choice((0, 1, 2**60)))
    reader.streams(TRAINING_GROUP)


def _record(random: Random, scratch: Path, data: bytes) -> None:
    """A container that was cut off at its end, or at its start, has ended or was not started."""
    (scratch / random.choice((EXIT, SHIM))).write_bytes(data)
    Record(directory=scratch).exit()


def _began(random: Random, scratch: Path, data: bytes) -> None:
    (scratch / "began").write_bytes(data)
    began_at(scratch / "began", _BOOT)


def _access(random: Random, scratch: Path, data: bytes) -> None:
    (scratch / "credentials.json").write_bytes(data)
    read_access(scratch / "credentials.json")


def _seal(random: Random, data: bytes) -> None:
    opened = unseal(_ROOT_KEY, data, b"context")
    assert data == _SEALED, f"another seal opens: {opened!r}"


def _parameters(random: Random, data: bytes) -> None:
    """Whatever a container says of itself: what is not understood is ignored, and told."""
    effective(replace(_JOB, max_payload_mb=random.choice((None, 0, 6))), data)


def _words(random: Random, data: bytes) -> None:
    long = (data * random.choice((1, 1, 1000)))[:65536]  # as much as is kept of an answer
    words = own_words(long, random.choice(("", "text/html", "application/json")))
    assert len(words) <= 300
    assert words.isprintable()


_JOB = transform_spec()
_EVENTS = [
    InstanceEvent(job="training/a", instance=1, seq=1, at=1.5, stage="Starting", message="é"),
    InstanceEvent(job="training/a", instance=1, seq=2, at=2.5, metrics=(MetricPoint(name="loss", value=0.5, at=2.0),)),
    InstanceEvent(job="training/a", instance=1, seq=3, at=3.5, outcome=Outcome(ending="Completed", exit_code=0)),
]
_LINES = [msgspec.json.encode(event) + b"\n" for event in _EVENTS]
_BOOTED = msgspec.json.encode([_BOOT]) + b"\n"
_CREDENTIALS = (
    b'{"credentials": [{"access_key": "AKIA", "secret_key": "s", "account": "123456789012", "user": "u"}], '
    b'"seal": "x", "accounts": [{"id": "1"}], "users": [{"account": "1", "name": "u"}], '
    b'"policies": [{"account": "1", "to": "", "name": "p", "document": {"Version": "2012-10-17", "Statement": ['
    b'{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}'
)

LEFT_PARSERS = (
    Parser(
        name="left-events",
        seeds=[b"".join(_LINES), b"".join(_LINES[:2]), b"".join(_LINES[:2])[:-20]],
        words=[b"\n", b'"seq":9', b"null", b"{}", b"\r"],
        read=_on_disk(_events),
        refuses=(msgspec.DecodeError, UnicodeDecodeError),
        weight=0.2,
    ),
    Parser(
        name="left-journal",
        seeds=[_BOOTED + b'["a","etag",3]\n["b","etag",5]\n', _BOOTED + b'["a","e'],
        words=[b"\n", b'["../../x","e",3]\n', b'["a","e",-1]', b'["a\\u0000","e",3]\n', b"[]"],
        read=_on_disk(_journal),
        refuses=(),
        weight=0.2,
    ),
    Parser(
        name="left-log",
        seeds=[b"1\tone\n2\ttwo\n2\tthree\n99\tfour\n", b"1\t" + b"x" * 70_000 + b"\n2\t\n", b"5\thalf"],
        words=[b"\n", b"\t", b"9" * 30, b"-1\t", b"\n\n", "\u0663".encode()],
        read=_on_disk(_log),
        refuses=(),
        weight=0.1,
    ),
    Parser(
        name="left-record",
        seeds=[b'{"code": 1, "out_of_memory": false}', f"1 1 {_BOOT}".encode()],
        words=[b"null", b"[]", b"-1", b"9" * 20, _BOOT.encode()],
        read=_on_disk(_record),
        refuses=(),
        weight=0.2,
    ),
    Parser(
        name="left-clock",
        seeds=[f"{_BOOT} 12.5".encode()],
        words=[b"nan", b"inf", b" ", b"1e999"],
        read=_on_disk(_began),
        refuses=(),
        weight=0.2,
    ),
    Parser(
        name="credentials-file",
        seeds=[_CREDENTIALS],
        words=[b"null", b"[]", b"{}", b'"user":', b"1"],
        read=_on_disk(_access),
        refuses=(BadCredentials,),
        weight=0.2,
    ),
    Parser(name="sealed", seeds=[_SEALED], read=_seal, refuses=(BadSeal,)),
    Parser(
        name="execution-parameters",
        seeds=[b'{"MaxConcurrentTransforms": 8, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}'],
        words=[b"null", b"1e400", b'"8"', b"[" * 5000, b"NaN", b"9" * 5000],
        read=_parameters,
        refuses=(),
    ),
    Parser(
        name="answer-words",
        seeds=[
            b"<html><head><title>x</title><style>a{}</style></head><body>no <b>memory</b></body></html>",
            b'{"message": "broken"}',
            b"Traceback (most recent call last):\n  File\nValueError: bad\n",
        ],
        words=[b"<", b">", b"<script", b"</script>", b"<title>", b"<" * 70_000, b"<style " * 9000],
        read=_words,
        refuses=(),
        weight=0.1,
    ),
    Parser(
        name="copy-source",
        seeds=[b"/bucket/key%20name?versionId=null", b"bucket/key", b"arn:aws:s3:us-east-1:1:accesspoint/a/object/k"],
        words=[b"/", b"%", b"?", b"versionId=", b"%00", b"%ff"],
        read=lambda random, data: read_source(data.decode("utf-8", "surrogateescape")),
        refuses=(Refusal,),
    ),
)
