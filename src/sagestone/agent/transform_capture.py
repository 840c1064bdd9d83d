"""DataCaptureConfig at work: manifests of the objects that were transformed, and of their outputs.

`<destination>/input/yyyy/mm/dd/hh/<job>-<host>.json` and the same below `output`: a JSON array whose first element is
`{"prefix": "s3://…/"}`, the others what follows it. The hour (UTC) is that of the job's creation, so that an agent that
takes over writes to the same place. The service's own name for these files is not documented.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.failure import Fault, JobFailure
from sagestone.domain.transform_job import DataCapture
from sagestone.inference.objects import InputObject, directory_key
from sagestone.s3.client import S3, AccessDenied, NoSuchBucket, S3Failure, write_all
from sagestone.s3.uri import S3Uri

_GATHERED = 256 * 1024


def write_captures(s3: S3, assignment: TransformAssignment, transformed: Callable[[], Iterable[InputObject]]) -> None:
    """Write both manifests, where the job asks for them and an object was transformed; raises JobFailure."""
    job = assignment.job
    first = next(iter(transformed()), None)
    if job.data_capture is None or first is None:
        return
    output = S3Uri.parse(job.output_uri)
    ahead = len(directory_key(output))
    source = S3Uri(first.uri.bucket, first.uri.key.removesuffix(_relative(first, ahead)))
    for kind, prefix, ending in (
        ("input", source, ""),
        ("output", S3Uri(output.bucket, directory_key(output)), ".out"),
    ):
        target = _target(job.data_capture, kind, assignment)
        try:
            names = (_relative(each, ahead) + ending for each in transformed())
            write_all(s3, target, _manifest(prefix, names), job.data_capture.kms_key_id)
        except S3Failure as error:
            fault: Fault = "client" if isinstance(error, NoSuchBucket | AccessDenied) else "internal"
            raise JobFailure(fault, f"DataCaptureConfig: {target} cannot be written: {error}") from error


def check_destination(s3: S3, capture: DataCapture | None) -> None:
    """Notice before any work is done that captures have nowhere to go; raises JobFailure."""
    if capture is None:
        return
    try:
        next(iter(s3.list(S3Uri.parse(capture.destination_uri))), None)
    except (NoSuchBucket, ValueError) as error:
        text = f"DataCaptureConfig.DestinationS3Uri {capture.destination_uri} cannot be written: {error}"
        raise JobFailure("client", text) from error
    except S3Failure:
        return  # writing may be allowed where listing is not


def _target(capture: DataCapture, kind: str, assignment: TransformAssignment) -> S3Uri:
    base = S3Uri.parse(capture.destination_uri)
    hour = datetime.fromtimestamp(assignment.created_at, UTC).strftime("%Y/%m/%d/%H")
    name = f"{assignment.job.name}-{assignment.host.name}.json"
    return S3Uri(base.bucket, f"{directory_key(base)}{kind}/{hour}/{name}")


def _relative(source: InputObject, ahead: int) -> str:
    """What the keys of an object and of its output share: it follows the output path and goes before `.out`."""
    return source.output.key[ahead:].removesuffix(".out")


def _manifest(prefix: S3Uri, names: Iterable[str]) -> Iterator[bytes]:
    gathered = bytearray(b"[" + msgspec.json.encode({"prefix": str(prefix)}))
    for name in names:
        gathered += b",\n" + msgspec.json.encode(name)
        if len(gathered) > _GATHERED:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered) + b"]\n"
