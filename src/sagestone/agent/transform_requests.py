"""The Training stage of a transform instance: every object goes through the container, and its answers to S3."""

import time
from datetime import UTC, datetime

from sagestone.agent.serving import Serving
from sagestone.agent.tools import Tools
from sagestone.agent.transform_model import volume_bytes
from sagestone.agent.transform_objects import ObjectList
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.failure import JobFailure
from sagestone.domain.json_path import BadPath
from sagestone.inference.data_log import DataLog
from sagestone.inference.invoke import Calling, Invoker
from sagestone.inference.parameters import effective
from sagestone.inference.pipeline import Pipeline
from sagestone.inference.processing import Processing, processing_of
from sagestone.inference.reading import ObjectReader
from sagestone.inference.ready import ask_parameters
from sagestone.inference.record_error import BadRecord
from sagestone.inference.split import splitter
from sagestone.inference.spool import NewSpool, Spool
from sagestone.inference.transformation import Transformation, most_steps

_TELL_SECONDS = 5.0

#: Memory for all bodies under way together; what is larger than its share lies on disk.
_REQUEST_MEMORY = 48 * 1024 * 1024
_ANSWER_MEMORY = 24 * 1024 * 1024
_LARGEST_SHARE = 8 * 1024 * 1024


def transform_objects(assignment: TransformAssignment, tools: Tools, serving: Serving, objects: ObjectList) -> None:
    """Transform what is pending; each object that is finished is noted, each failure is in the data log.

    Raises StopAsked, ContainerEnded or JobFailure; no output of an unfinished object is visible then.
    """
    job = assignment.job
    data_log = DataLog(tools.logs, tools.clock)
    first = serving.containers[0]
    answer, trouble = ask_parameters(first.connect, _spools(tools, 64 * 1024), first.port)
    parameters, ignored = effective(job, answer)
    data_log.parameters(parameters, [trouble] if trouble is not None else ignored)
    concurrency = parameters.max_concurrent_transforms
    pipeline = _pipeline(assignment, tools, serving, _ANSWER_MEMORY // most_steps(concurrency))
    serving.when_ended(pipeline.shut)
    processing = _processing(assignment)
    reader = ObjectReader(
        tools.s3,
        gzipped=job.compression == "Gzip",
        splitter=splitter(job.split_type),
        parameters=parameters,
        new_spool=_spools(tools, _REQUEST_MEMORY // (concurrency + 2)),
        most_bytes=volume_bytes(assignment),
        processing=processing,
    )
    transformation = Transformation(
        reader,
        pipeline,
        tools.s3,
        assemble_with=job.assemble_with,
        concurrency=concurrency,
        check=tools.stop.check,
        processing=processing,
        kms_key_id=job.output_kms_key_id,
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
        pipeline.close()
        data_log.close()


def _pipeline(assignment: TransformAssignment, tools: Tools, serving: Serving, in_memory: int) -> Pipeline:
    """The first container gets the job's ContentType, the last one its Accept."""
    job = assignment.job
    first, last = serving.containers[0], serving.containers[-1]
    return Pipeline(
        [
            Invoker(
                container.connect,
                Calling(
                    content_type=job.content_type if container is first else None,
                    accept=job.accept if container is last else None,
                    timeout_seconds=job.invocations_timeout_seconds,
                    max_retries=job.invocations_max_retries,
                    most_answer_bytes=volume_bytes(assignment),
                    port=container.port,
                    subject=container.role.subject,
                ),
                new_spool=_spools(tools, in_memory),
                wait_exit=serving.wait_exit,
            )
            for container in serving.containers
        ]
    )


def _processing(assignment: TransformAssignment) -> Processing | None:
    created = datetime.fromtimestamp(assignment.created_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        return processing_of(assignment.job, created)
    except (BadPath, BadRecord) as error:
        raise JobFailure("client", f"DataProcessing: {error}") from error


def _spools(tools: Tools, in_memory: int) -> NewSpool:
    return lambda: Spool(tools.files.spools, min(in_memory, _LARGEST_SHARE))
