"""Which input objects are an instance's, and how far it has come with them: two files that outlive the agent."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from sagestone.archive.room import when_there_is_room
from sagestone.channels.paths import is_folder_marker
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.failure import Failure, JobFailure
from sagestone.durable import append_whole, cut_half_line
from sagestone.inference.objects import InputObject, output_of
from sagestone.inference.transformation import Transformed
from sagestone.s3.client import S3, AccessDenied, NoSuchBucket, NoSuchKey, S3Failure
from sagestone.s3.listing import BadS3Input, objects_of
from sagestone.s3.uri import S3Uri

_MANIFEST_HEAD = 1024 * 1024


class ObjectList:
    """The objects of one instance.

    `objects.jsonl` is written whole before the first of them is transformed: what appears under the input prefix later,
    such as outputs of this very job, is no input. `finished.jsonl` gets a line for every object that is finished.
    """

    def __init__(self, scratch: Path) -> None:
        self._objects, self._finished = scratch / "objects.jsonl", scratch / "finished.jsonl"
        self._done: set[int] = set()
        self.total = 0
        self._failed: set[int] = set()
        self.first_failure: Failure | None = None

    @property
    def failures(self) -> int:
        return len(self._failed)

    @property
    def finished(self) -> int:
        return len(self._done)

    def deal(self, s3: S3, assignment: TransformAssignment, check: Callable[[], None]) -> None:
        """Find this instance's objects, or read what an earlier agent found; raises JobFailure.

        Object i of the source's order (by key; a manifest's own, each object once) is for instance i mod n. Folder
        markers (empty, ending in `/`) are no objects.
        """
        if not self._objects.exists():
            self._write(s3, assignment, check)
        with self._objects.open("rb") as file:
            self.total = sum(1 for _ in file)
        with self._finished.open("a+b") as noted:
            cut_half_line(noted.fileno())
        for line in self._finished.read_bytes().splitlines():
            self._remember(msgspec.json.decode(line))

    def any_pending(self) -> bool:
        return self.finished < self.total

    def pending(self) -> Iterator[InputObject]:
        """The objects that are not finished, in order."""
        return self._read(lambda number: number not in self._done)

    def transformed(self) -> Iterator[InputObject]:
        """The objects whose output is visible, in order."""
        return self._read(lambda number: number in self._done and number not in self._failed)

    def finish(self, transformed: Transformed) -> None:
        """Note that an object is finished: its output is visible, or it has failed for good."""
        failure = transformed.failure
        note: dict[str, Any] = {"object": transformed.source.number}
        if failure is not None:
            note |= {"fault": failure.fault, "message": str(failure)}
        when_there_is_room(partial(self._note, msgspec.json.encode(note) + b"\n"))
        self._remember(note)

    def _note(self, line: bytes) -> None:
        with self._finished.open("ab", buffering=0) as file:
            append_whole(file.fileno(), line, sync=False)

    def _read(self, wanted: Callable[[int], bool]) -> Iterator[InputObject]:
        with self._objects.open("rb") as file:
            for number, line in enumerate(file):
                if wanted(number):
                    bucket, key, size, output_bucket, output_key = msgspec.json.decode(line)
                    output = S3Uri(output_bucket, output_key)
                    yield InputObject(number=number, uri=S3Uri(bucket, key), size=size, output=output)

    def _remember(self, note: dict[str, Any]) -> None:
        self._done.add(note["object"])
        if "fault" in note:
            self._failed.add(note["object"])
            self.first_failure = self.first_failure or Failure(fault=note["fault"], message=note["message"])

    def _write(self, s3: S3, assignment: TransformAssignment, check: Callable[[], None]) -> None:
        host = assignment.host
        fresh = self._objects.with_name("objects.jsonl.new")
        found = 0
        with fresh.open("wb") as file:
            for index, source in enumerate(_all_objects(s3, assignment)):
                check()
                found += 1
                if index % host.count == host.number - 1:
                    row = (source.uri.bucket, source.uri.key, source.size, source.output.bucket, source.output.key)
                    file.write(msgspec.json.encode(row) + b"\n")
        if found == 0:
            raise _nothing_there(assignment)
        fresh.replace(self._objects)


def _all_objects(s3: S3, assignment: TransformAssignment) -> Iterator[InputObject]:
    job = assignment.job
    seen: set[str] = set()
    try:
        output = S3Uri.parse(job.output_uri)
        prefix = _prefix(s3, assignment)
        _have_bucket(s3, output)
        for found in objects_of(s3, job.s3_data_type, job.s3_uri):
            if is_folder_marker(found.uri, found.size) or found.uri.key in seen:
                continue
            if job.s3_data_type == "ManifestFile":
                seen.add(found.uri.key)
            target = output_of(found.uri.key, prefix, output)
            yield InputObject(number=0, uri=found.uri, size=found.size, output=target)
    except (ValueError, BadS3Input, NoSuchBucket, NoSuchKey, AccessDenied) as error:
        raise JobFailure("client", str(error)) from error


def _prefix(s3: S3, assignment: TransformAssignment) -> str:
    """What output names are relative to: the S3Uri's key, or the key of the prefix that opens the manifest."""
    place = S3Uri.parse(assignment.job.s3_uri)
    if assignment.job.s3_data_type == "S3Prefix":
        return place.key
    head = b""
    try:
        with s3.read(place) as pieces:
            for piece in pieces:
                head += piece
                if len(head) > _MANIFEST_HEAD:
                    break
        opening = head.removeprefix(b"\xef\xbb\xbf").partition(b"}")[0].partition(b"{")[2]
        return S3Uri.parse(str(msgspec.json.decode(b"{" + opening + b"}")["prefix"])).key
    except (S3Failure, msgspec.DecodeError, KeyError, ValueError, RecursionError):
        return place.key  # `objects_of` reads the same manifest and says what is wrong with it


def _have_bucket(s3: S3, output: S3Uri) -> None:
    """Notice before any work is done that outputs have nowhere to go; raises JobFailure."""
    try:
        next(iter(s3.list(output)), None)
    except NoSuchBucket as error:
        raise JobFailure("client", f"TransformOutput.S3OutputPath {output} cannot be written: {error}") from error
    except S3Failure:
        return  # writing may be allowed where listing is not


def _nothing_there(assignment: TransformAssignment) -> JobFailure:
    uri = assignment.job.s3_uri
    bucket = S3Uri.parse(uri).bucket
    return JobFailure(
        "client",
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({assignment.region}), that objects exist under that S3 prefix, and that the role "
        f'"{assignment.job.role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".',
    )
