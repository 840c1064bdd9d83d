"""DataProcessing and inference ids at work: records before they are sent, and what becomes of the answers."""

import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from sagestone.domain.content_format import Format, format_of
from sagestone.domain.json_path import parse_filter
from sagestone.domain.transform_job import DataProcessing, TransformJobSpec
from sagestone.inference.csv_rows import columns, select_columns
from sagestone.inference.json_values import checked, joined, on_one_line, select, with_members
from sagestone.inference.lines import records_of
from sagestone.inference.record_error import BadRecord

Change = Callable[[bytes], bytes]
#: From an answer, and the input that it is for (None where nothing is joined), to what is kept.
Keep = Callable[[bytes, bytes | None], bytes]
T = TypeVar("T")
V = TypeVar("V")

_GATHERED = 64 * 1024
_PARSE_OUTPUT = "Failed to parse output from the algorithm as"


class BadInput(Exception):
    """An input record cannot be filtered; the text is a clause, `record` its number (0: the object as a whole)."""

    def __init__(self, text: str, record: int) -> None:
        super().__init__(text)
        self.record = record


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """What is done to the records of one job, each without the newline that ends it.

    `change_input` None: objects are sent as they are. `keep` None: answers are kept as they are.
    """

    input_lines: bool
    output_lines: bool
    joins: bool
    change_input: Change | None
    keep: Keep | None
    json_output: bool

    def prepared(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """An object's bytes as they are sent; blank lines are no records and are left out. Raises BadInput."""
        assert self.change_input is not None
        number, gathered, size = 0, [], 0
        try:
            for record, end in records_of(pieces, lines=self.input_lines):
                number += 1
                changed = self.change_input(record) + end
                gathered.append(changed)
                size += len(changed)
                if size > _GATHERED:
                    yield b"".join(gathered)
                    gathered, size = [], 0
        except BadRecord as error:
            raise BadInput(str(error), number if self.input_lines else 0) from error
        if gathered:
            yield b"".join(gathered)


class Results:
    """What is kept of the answers for one object, in its order. `originals` gives the object's bytes where it joins."""

    def __init__(self, processing: Processing, originals: Callable[[], Generator[bytes, None, None]]) -> None:
        self._processing = processing
        self._source = originals() if processing.joins else None
        self._inputs = None if self._source is None else records_of(self._source, lines=processing.input_lines)
        self._number = 0

    def of(self, answer: Iterable[bytes], requested: int | None) -> Iterator[bytes]:
        """What is kept of an answer for `requested` records (None: all that are left). Raises BadRecord."""
        how, answered = self._processing, 0
        assert how.keep is not None
        whole = not how.output_lines or (how.json_output and requested == 1)
        for record, _ in records_of(answer, lines=not whole):
            answered += 1
            if how.joins and requested is not None and answered > requested:
                continue
            original = self._following()
            if how.joins and original is None:
                raise BadRecord(f"the container answered more records than the {self._number} of the object")
            self._number += 1
            try:
                kept = how.keep(record, original)
            except BadRecord as error:
                raise BadRecord(f"its {answered}. answer: {error}" if requested != 1 else str(error)) from error
            yield kept + b"\n" if how.output_lines else kept
        if how.joins and requested is not None and answered != requested:
            raise BadRecord(
                f"the container answered {answered} records for the {requested} of the request, so that they cannot be "
                "joined with their inputs"
            )

    def finish(self) -> None:
        """Raises BadRecord where inputs are left without an answer."""
        if self._following() is not None:
            raise BadRecord(f"the container answered {self._number} records, and the object has more")

    def close(self) -> None:
        """Let go of the object; idempotent."""
        if self._source is not None:
            self._source.close()

    def _following(self) -> bytes | None:
        record = None if self._inputs is None else next(self._inputs, None)
        return None if record is None else record[0]


def processing_of(job: TransformJobSpec, started_at: str) -> Processing | None:
    """How the records of a job are processed; None where objects and answers go through as they are.

    `started_at` is written beside inference ids. Raises BadPath or BadRecord where a request was let through that
    `domain.data_processing` refuses.
    """
    asked = job.data_processing or DataProcessing()
    joins = asked.join_source == "Input"
    with_ids = job.data_capture is not None and job.data_capture.generate_inference_id
    taken, given = format_of(job.content_type), format_of(job.accept)
    filters_input, filters_output = asked.input_filter not in ("", "$"), asked.output_filter not in ("", "$")
    if not (filters_input or filters_output or joins or with_ids):
        return None
    by_line, keeps = job.split_type == "Line", filters_output or joins or with_ids
    return Processing(
        input_lines=by_line or taken in ("text/csv", "application/jsonlines"),
        output_lines=by_line or given in ("text/csv", "application/jsonlines"),
        joins=joins,
        change_input=_change(asked.input_filter or "$", taken) if filters_input or joins else None,
        keep=_keep(asked.output_filter or "$", given, started_at if with_ids else None) if keeps else None,
        json_output=given == "application/json",
    )


def _change(path: str, format_: Format | None) -> Change:
    if format_ is None:
        raise BadRecord("InputFilter and JoinSource need a TransformInput.ContentType of CSV, JSON or JSON Lines")
    steps, parse, name = (
        parse_filter(path, format_),
        f"Failed to parse input as {_word(format_)}",
        f"InputFilter {path}",
    )
    if format_ == "text/csv":
        return lambda record: _told(name, lambda row: select_columns(row, steps), _told(parse, columns, record))
    return lambda record: _told(name, lambda value: on_one_line(select(value, steps)), _told(parse, checked, record))


def _keep(path: str, format_: Format | None, started_at: str | None) -> Keep:
    if format_ is None:
        wanting = "OutputFilter, JoinSource and GenerateInferenceId need"
        raise BadRecord(f"{wanting} a TransformOutput.Accept of CSV, JSON or JSON Lines")
    steps, parse, name = parse_filter(path, format_), f"{_PARSE_OUTPUT} {_word(format_)}", f"OutputFilter {path}"

    def csv(answer: bytes, original: bytes | None) -> bytes:
        row = _told(parse, columns, answer)
        if original is not None:
            row = columns(original) + row
        kept = _told(name, lambda row: select_columns(row, steps), row)
        return kept if started_at is None else b",".join((kept, str(uuid.uuid4()).encode(), started_at.encode()))

    def json(answer: bytes, original: bytes | None) -> bytes:
        value = _told(parse, checked, answer)
        if original is not None:
            value = _told("Failed to join with the input", lambda value: joined(checked(original), value), value)
        return _told(name, json_kept, value)

    def json_kept(value: bytes) -> bytes:
        value = select(value, steps)
        if started_at is not None:
            ids = {"SageMakerInferenceId": str(uuid.uuid4()), "SageMakerInferenceTime": started_at}
            value = with_members(value, {key: f'"{text}"'.encode() for key, text in ids.items()}, "SageMakerOutput")
        return on_one_line(value)

    return csv if format_ == "text/csv" else json


def _word(format_: Format) -> str:
    return "CSV" if format_ == "text/csv" else "JSON"


def _told(context: str, change: Callable[[T], V], value: T) -> V:
    """The changed value; what is wrong with it is told with the context."""
    try:
        return change(value)
    except (BadRecord, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord(f"{context}: {error}") from error
