"""Takes input objects through the container: read ahead, sent several at once, put together in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sagestone.domain.failure import Fault, JobFailure
from sagestone.inference.assemble import Output
from sagestone.inference.connection import Answer
from sagestone.inference.invoke import CallFailed, ContainerEnded
from sagestone.inference.objects import InputObject, ObjectFailed, check_output
from sagestone.inference.pipeline import Pipeline
from sagestone.inference.processing import Processing, Results
from sagestone.inference.reading import ObjectReader, Outgoing
from sagestone.inference.record_error import BadRecord
from sagestone.inference.window import Ticket, Window
from sagestone.s3.client import S3, AccessDenied, NoSuchBucket, S3Failure

_LOOK_SECONDS = 0.1  # how often `check` is asked while nothing happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformed:
    """An object that is finished: its output is visible, or `failure` says why it has none."""

    source: InputObject
    failure: ObjectFailed | None = None


@dataclass(slots=True, kw_only=True)
class _Underway:
    """An object between its first request and the end of its output.

    `doomed` as soon as a request of it has failed: no more are made; the `failure` is the first in its order.
    """

    source: InputObject
    doomed: bool = False
    failure: ObjectFailed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What comes next in the order of the input: an answer that is awaited, or (no ticket) the object's end."""

    underway: _Underway
    ticket: Ticket[Answer | None] | None = None
    label: Callable[[], str] = str
    records: int | None = None
    failure: ObjectFailed | None = None


def most_steps(concurrency: int) -> int:
    """How many requests may be under way or answered, but not yet in the output."""
    return 4 * concurrency + 64


class Transformation:
    """Transforms objects one after the other, while requests of several may be under way.

    1. At most `concurrency` requests are under way, and the next one is ready before one of them ends.
    2. Answers are put together in the order of the input, whatever order they come in; a bounded number waits for that.
    3. An object that fails leaves no output, and the others go on; the first failure in its order is the one told.
    4. Outputs that cannot be written at all (no bucket, no permission) end the job: JobFailure.
    5. The container's end raises ContainerEnded, whose `where` names the request that it left without an answer.
    """

    def __init__(
        self,
        reader: ObjectReader,
        pipeline: Pipeline,
        s3: S3,
        *,
        assemble_with: Literal["None", "Line"],
        concurrency: int,
        check: Callable[[], None],
        processing: Processing | None = None,
        kms_key_id: str = "",
    ) -> None:
        """`check` is called all the time, from the thread that iterates; what it raises breaks everything off."""
        self._reader, self._pipeline, self._s3 = reader, pipeline, s3
        self._assemble_with, self._check, self._kms_key_id = assemble_with, check, kms_key_id
        self._processing = processing if processing is not None and processing.keep is not None else None
        self._window = Window(concurrency)
        self._most_steps = most_steps(concurrency)
        self._steps: deque[_Step] = deque()
        self._output: Output | None = None

    def run(self, objects: Iterable[InputObject]) -> Iterator[Transformed]:
        """Give each object when it is finished, in their order. Left early, nothing unfinished becomes visible."""
        ahead = self._ahead(objects)
        more = True
        try:
            while more or self._steps:
                self._check()
                room = more and len(self._steps) < self._most_steps
                if room and self._window.has_room():
                    following = next(ahead, None)
                    if following is None:
                        more = False
                    else:
                        self._steps.append(following)
                    continue
                head = self._steps[0]
                if head.ticket is not None and not head.ticket.done:
                    self._window.wait(head.ticket, _LOOK_SECONDS, or_room=room)
                    continue
                self._steps.popleft()
                if head.ticket is not None or head.failure is not None:
                    self._add(head)
                else:
                    yield self._end(head.underway)
        finally:
            self._window.close()
            if self._output is not None:
                self._output.abort()

    def _ahead(self, objects: Iterable[InputObject]) -> Iterator[_Step]:
        """The steps of all objects; reading happens, and requests are submitted, as they are asked for."""
        for source in objects:
            underway = _Underway(source=source)
            try:
                check_output(source)
                for outgoing in self._reader.requests(source):
                    if underway.doomed:
                        outgoing.discard()
                        break
                    ticket = self._window.submit(partial(self._call, underway, outgoing), outgoing.weight)
                    yield _Step(underway=underway, ticket=ticket, label=outgoing.label, records=outgoing.records)
            except ObjectFailed as error:
                yield _Step(underway=underway, failure=error)
            yield _Step(underway=underway)

    def _call(self, underway: _Underway, outgoing: Outgoing) -> Answer | None:
        """On a thread of the window: one request, with all its repetitions."""
        if underway.doomed:
            outgoing.discard()
            return None
        payload = outgoing.load()
        if payload is None:
            return None
        try:
            return self._pipeline.invoke(payload.pieces, payload.size)
        except CallFailed as error:
            underway.doomed = True
            raise _unanswered(underway.source, outgoing.label(), error) from error
        finally:
            payload.close()

    def _add(self, step: _Step) -> None:
        """The next answer of the object at the head, or its first failure."""
        underway = step.underway
        try:
            if step.failure is not None:
                raise step.failure
            assert step.ticket is not None
            answer = step.ticket.result()
            if answer is not None:
                if underway.failure is None:
                    self._open_output(underway.source).add(answer.body, step.records)
                answer.body.close()
        except ObjectFailed as error:
            self._give_up(underway, error)
        except BadRecord as error:
            self._give_up(underway, _unusable(underway.source, step.label(), error))
        except ContainerEnded as error:
            error.where = _where(underway.source, step.label())
            raise
        except S3Failure as error:
            raise _unwritable(underway.source, error) from error

    def _give_up(self, underway: _Underway, error: ObjectFailed) -> None:
        underway.failure, underway.doomed = underway.failure or error, True
        if self._output is not None:
            self._output.abort()
            self._output = None

    def _end(self, underway: _Underway) -> Transformed:
        if underway.failure is None:
            try:
                self._open_output(underway.source).commit()
                self._output = None
            except ObjectFailed as error:
                self._give_up(underway, error)
            except BadRecord as error:
                self._give_up(underway, _unusable(underway.source, "", error))
            except S3Failure as error:
                raise _unwritable(underway.source, error) from error
        return Transformed(source=underway.source, failure=underway.failure)

    def _open_output(self, source: InputObject) -> Output:
        """The output of the object at the head; there is only one at a time."""
        if self._output is None:
            results = None
            if self._processing is not None:
                results = Results(self._processing, partial(self._reader.originals, source))
            upload = self._s3.upload(source.output, kms_key_id=self._kms_key_id)
            self._output = Output(upload, self._assemble_with, results)
        return self._output


def _unanswered(source: InputObject, label: str, error: CallFailed) -> ObjectFailed:
    """The failure of an object by one of its requests, and the lines that the data log shows for it."""
    if error.status is None:
        head = "Unable to get response from algorithm"
    elif error.fault == "client":
        head = f"ClientError: {error.status}"
    else:
        head = f"Bad HTTP status received from algorithm: {error.status}"
    said = error.body.decode(errors="replace").splitlines() if error.status is not None else [str(error)]
    return ObjectFailed(error.fault, f"{_where(source, label)}: {error}", (head, "", "Message:", *said))


def _unusable(source: InputObject, label: str, error: BadRecord) -> ObjectFailed:
    """The failure of an object by what an answer says."""
    return ObjectFailed("client", f"{_where(source, label)}: {error}", (f"ClientError: {error}",))


def _where(source: InputObject, label: str) -> str:
    return f"{source.uri}, {label}" if label else str(source.uri)


def _unwritable(source: InputObject, error: S3Failure) -> JobFailure:
    fault: Fault = "client" if isinstance(error, NoSuchBucket | AccessDenied) else "internal"
    return JobFailure(fault, f"The output {source.output} cannot be written: {error}")
