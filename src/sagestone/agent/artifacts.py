"""The Uploading stage: what the hosts left in /opt/ml/model and /opt/ml/output/data goes to S3.

`model.tar.gz` and `output.tar.gz` below `<S3OutputPath>/<job>/output/`, one each for the whole job: the trees of all
hosts are merged, and where two hosts wrote the same name the later one counts. A tree without a file makes no object.
With CompressionType NONE the files go as they are, below `…/output/model/` and `…/output/output/`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sagestone.agent.opt_ml import OptMl
from sagestone.archive.errors import PackFailed
from sagestone.archive.pack import pack_tree
from sagestone.archive.walk import Dropped, Entry, walk
from sagestone.domain.failure import JobFailure
from sagestone.domain.training_job import TrainingJobSpec
from sagestone.s3.client import S3, S3Failure, Upload, fault_of
from sagestone.s3.uri import S3Uri

_PIECE = 1 << 20
_NO_LIMIT = 1 << 50
_MOST_NOTES = 20

#: Begins to write an object.
Begin = Callable[[S3Uri], Upload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """What came of it: `model_uri` is None where there was no model. The notes tell what was left out, for the log."""

    model_uri: str | None
    notes: tuple[str, ...] = ()


def upload_artifacts(job: TrainingJobSpec, hosts: Sequence[OptMl], s3: S3, limit_bytes: int | None) -> Uploaded:
    """Upload both, in the order of `hosts`; each object is whole or not there. Raises JobFailure (client)."""
    notes: list[str] = []
    try:
        base = S3Uri.parse(f"{job.output_uri.rstrip('/')}/{job.name}/output")
        send = _send_files if job.output_compression == "NONE" else _send_archive
        limit = _NO_LIMIT if limit_bytes is None else limit_bytes * len(hosts)
        begin = partial(s3.upload, kms_key_id=job.output_kms_key_id)
        send(begin, base, "output", [host.output_data for host in hosts], limit, notes)
        model = send(begin, base, "model", [host.model for host in hosts], limit, notes)
    except ValueError as error:
        raise JobFailure("client", f"Artifact upload failed:S3OutputPath: {error}") from error
    except PackFailed as error:
        raise JobFailure("client", f"Artifact upload failed:{error}") from error
    except S3Failure as error:
        raise JobFailure(fault_of(error), f"Artifact upload failed:{error}") from error
    return Uploaded(model_uri=model, notes=tuple(notes))


def _send_archive(
    begin: Begin, base: S3Uri, name: str, trees: Sequence[Path], limit_bytes: int, notes: list[str]
) -> str | None:
    """`<name>.tar.gz` of the merged trees; its URI, or None when there is no file in them."""
    uri = S3Uri(base.bucket, f"{base.key}/{name}.tar.gz")
    upload = begin(uri)
    try:
        report = pack_tree(trees, upload.write, limit_bytes)
        _note(name, report.dropped, notes)
        if not report.files:
            return None
        upload.commit()
        return str(uri)
    finally:
        upload.abort()  # does nothing after the commit


def _send_files(
    begin: Begin, base: S3Uri, name: str, trees: Sequence[Path], limit_bytes: int, notes: list[str]
) -> str | None:
    """Every regular file of the merged trees as an object below `<name>/`; the URI of that prefix."""
    prefix = S3Uri(base.bucket, f"{base.key}/{name}")
    dropped: list[Dropped] = []
    sent = total = 0
    for entry in walk(trees, dropped):
        if entry.kind == "symlink":
            dropped.append(Dropped(path=entry.name, reason="is a link, and S3 has none"))
        if entry.kind != "file":
            continue
        total += entry.size
        if total > limit_bytes:
            raise PackFailed(entry.name, f"makes the files of {name} more than {limit_bytes} bytes")
        key = os.fsencode(entry.name)
        try:
            uri = S3Uri(prefix.bucket, f"{prefix.key}/{key.decode()}")
        except UnicodeDecodeError:
            dropped.append(Dropped(path=ascii(entry.name), reason="is no UTF-8, as the keys of S3 are"))
            continue
        _send_file(begin(uri), entry)
        sent += 1
    _note(name, dropped, notes)
    return str(prefix) if sent else None


def _send_file(upload: Upload, entry: Entry) -> None:
    try:
        left = entry.size
        while left > 0:
            piece = os.read(entry.descriptor, min(_PIECE, left))
            if not piece:
                raise PackFailed(entry.name, "became shorter while it was uploaded")
            upload.write(piece)
            left -= len(piece)
        upload.commit()
    finally:
        upload.abort()


def _note(name: str, dropped: Sequence[Dropped], notes: list[str]) -> None:
    notes += [f"{name}: {each.path!r} was left out: it {each.reason}" for each in dropped[:_MOST_NOTES]]
    if len(dropped) > _MOST_NOTES:
        notes.append(f"{name}: {len(dropped) - _MOST_NOTES} more were left out")
