"""What a full disk or a power failure left of a file, in no UTF-8, stops nobody."""

from pathlib import Path

import msgspec

from sagestone.channels.directory import ChannelDirectory
from sagestone.channels.journal import Journal
from sagestone.containers.sandbox.record import LOST, Record
from sagestone.containers.sandbox.shim import EXIT, SHIM
from sagestone.domain.event import InstanceEvent
from sagestone.placement.job_directories import JobDirectories
from sagestone.placement.tail import EventTail
from sagestone.s3.client import SourceObject
from sagestone.s3.uri import S3Uri
from sagestone.volumes.document import read_document

_HALF = '{"job":"é'.encode()[:-1]


def test_an_event_behind_it_is_read(tmp_path: Path) -> None:
    event = InstanceEvent(job="training/a", instance=1, seq=1, at=1.0, stage="Starting")
    (tmp_path / "events.jsonl").write_bytes(_HALF + b'"\n' + msgspec.json.encode(event) + b"\n")
    assert EventTail(tmp_path / "events.jsonl").after(0) == [event]


def test_a_file_in_the_journal_behind_it_is_known(tmp_path: Path) -> None:
    found = SourceObject(uri=S3Uri("b", "k"), size=3, etag="e")
    for _ in range(2):
        directory = ChannelDirectory(tmp_path / "channel")
        journal = Journal(tmp_path / "journal", directory)
        known = journal.take("a", found)
        journal.note("a", found)
        journal.close()
        directory.close()
        (tmp_path / "channel" / "a").write_bytes(b"abc")
        with (tmp_path / "journal").open("ab") as file:
            file.write('["é'.encode()[:-1] + b'"\n')
    assert known == "whole"


def test_a_reservation_and_a_volume_are_as_if_they_were_not_there(tmp_path: Path) -> None:
    (tmp_path / "training" / "a").mkdir(parents=True)
    directories = JobDirectories(tmp_path)
    for name in ("reservation.json", "volume.json"):
        (tmp_path / "training" / "a" / name).write_bytes(_HALF + b'"}')
    assert directories.read_reservations() == {}
    assert read_document(tmp_path / "training" / "a" / "volume.json") is None


def test_a_container_whose_end_is_not_told_has_ended(tmp_path: Path) -> None:
    (tmp_path / EXIT).write_bytes(b"{}")
    assert Record(directory=tmp_path).exit() == LOST


def test_a_process_whose_number_is_none_does_not_run(tmp_path: Path) -> None:
    for number in (b"x", b"9" * 20):
        (tmp_path / SHIM).write_bytes(number + b" 1 " + Path("/proc/sys/kernel/random/boot_id").read_bytes().strip())
        assert Record(directory=tmp_path).open_shim() is None
