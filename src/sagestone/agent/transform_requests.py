"""The Training stage of a transform instance: every object goes through the container, and its answers to S3."""

import time
from datetime import UTC, datetime

from sagestone.agent.tools import Tools
from sagestone.agent.transform_container import ServingContainer
from sagestone.agent.transform_model import volume_bytes
from sagestone.agent.transform_objects import ObjectList
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.failure import JobFailure
from sagestone.domain.json_path import BadPath
from sagestone.inference.data_log import DataLog
from sagestone.inference.invoke import Calling, Invoker
from sagestone.inference.parameters import effective
from sagestone.inference.processing import Processing, processing_of
from sagestone.inference.reading import ObjectReader
from sagestone.inference.ready import ask_parameters
from sagestone.inference.record_error import BadRecord
from sagestone.inference.split import splitter
from sagestone.inference.spool import NewSpool, Spool
from sagestone.inference.transformation import Transformation

_TELL_SECONDS = 5.0

#: Memory for all bodies under way together; what is larger than its share lies on disk.
_REQUEST_MEMORY = 48 * 1024 * 1024
_ANSWER_MEMORY = 24 * 1024 * 1024
_LARGEST_SHARE = 8 * 1024 * 1024


def transform_objects(
    assignment: TransformAssignment, tools: Tools, container: ServingContainer, objects: ObjectList
) -> None:
    """Transform what is pending; each object that is finished is noted, each failure is in the data log.

    Raises StopAsked, ContainerEnded or JobFailure; no output of an unfinished object is visible then.
    """
    job = assignment.job
    data_log = DataLog(tools.logs, tools.clock)
    answer, trouble = ask_parameters(container.connect, _spools(tools, 64 * 1024))
    parameters, ignored = effective(job, answer)
    data_log.parameters(parameters, [trouble] if trouble is not None else ignored)
    concurrency = parameters.max_concurrent_transforms
    invoker = Invoker(
        container.connect,
        Calling(
            content_type=job.content_type,
            accept=job.accept,
            timeout_seconds=job.invocations_timeout_seconds,
            max_retries=job.invocations_max_retries,
            most_answer_bytes=volume_bytes(assignment),
        ),
        new_spool=_spools(tools, _ANSWER_MEMORY // (4 * concurrency + 16)),
        wait_exit=container.wait_exit,
    )
    container.when_ended(invoker.shut)
    processing = _processing(assignment)
    reader = ObjectReader(
        tools.s3,
        gzipped=job.compression == "Gzip",
        splitter=splitter(job.split_type),
        parameters=parameters,
        new_spool=_spools(tools, _REQUEST_MEMORY // (concurrency + 2)),
        processing=processing,
    )
    transformation = Transformation(
        reader,
        invoker,
        tools.s3,
        assemble_with=job.assemble_with,
        concurrency=concurrency,
        check=tools.stop.check,
        processing=processing,
    )
    tell_at = time.monotonic() + _TELL_SECONDS
    try:
        for transformed in transformation.run(objects.pending()):
            if transformed.failure is not None:
                data_log.failed(transformed.source, transformed.failure.log)
            objects.finish(transformed)
            if time.monotonic() >= tell_at:
                tell_at = time.monotonic() + _TELL_SECONDS
                tools.reporter.stage("Training", f"Transforming: {objects.finished} of {objects.total} objects")
    finally:
        invoker.close()
        data_log.close()


def _processing(assignment: TransformAssignment) -> Processing | None:
    created = datetime.fromtimestamp(assignment.created_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        return processing_of(assignment.job, created)
    except (BadPath, BadRecord) as error:
        raise JobFailure("client", f"DataProcessing: {error}") from error


def _spools(tools: Tools, in_memory: int) -> NewSpool:
    return lambda: Spool(tools.files.scratch, min(in_memory, _LARGEST_SHARE))
