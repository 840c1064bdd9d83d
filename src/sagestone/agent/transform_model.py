"""The Downloading stage of a transform instance: the image, and the model unpacked where the container will read it."""

from pathlib import Path

from sagestone.agent.tools import Tools
from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.remove import remove_tree
from sagestone.archive.unpack import unpack
from sagestone.containers.runtime import ImageNotFound
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.failure import Fault, JobFailure
from sagestone.s3.client import AccessDenied, NoSuchBucket, NoSuchKey, S3Failure
from sagestone.s3.uri import S3Uri

_VOLUME_BYTES = 30 * 1024**3  # documented for batch transform; holds where the assignment has no limit
_MOST_FILES = 1_000_000


def model_directory(tools: Tools) -> Path:
    """Where the unpacked model lies."""
    return tools.files.opt_ml / "model"


def volume_bytes(assignment: TransformAssignment) -> int:
    """What an instance may hold of a model, or of one answer."""
    return assignment.limits.volume_bytes or _VOLUME_BYTES


def fetch_model(assignment: TransformAssignment, tools: Tools) -> None:
    """Have the image and the unpacked model on this machine; what an earlier agent left whole is kept.

    Raises JobFailure: client where the model is not there or no good archive, and where the image is missing.
    """
    served = assignment.job.containers[0]
    try:
        tools.runtime.image(served.image.digest)
    except ImageNotFound as error:
        message = f"The image {served.image.uri} at {served.image.digest} cannot be had: {error}"
        raise JobFailure("client", message) from error
    target, whole = model_directory(tools), tools.files.scratch / "model-is-whole"
    if served.model_uri is None or whole.exists():
        return
    archive = tools.files.scratch / "model.tar.gz"
    _download(served.model_uri, archive, assignment, tools)
    remove_tree(target)
    target.mkdir(parents=True)
    try:
        unpack(archive, target, volume_bytes(assignment), _MOST_FILES)
    except UnsafeArchive as error:
        raise JobFailure("client", f"The model {served.model_uri} cannot be unpacked: {error}") from error
    archive.unlink()
    whole.touch()


def _download(uri: str, archive: Path, assignment: TransformAssignment, tools: Tools) -> None:
    room = volume_bytes(assignment)
    try:
        with tools.s3.read(S3Uri.parse(uri)) as pieces, archive.open("wb") as file:
            for piece in pieces:
                tools.stop.check()
                room -= file.write(piece)
                if room < 0:
                    limit = volume_bytes(assignment)
                    raise JobFailure(
                        "client", f"The model {uri} has more than the {limit} bytes that an instance holds"
                    )
    except (S3Failure, ValueError) as error:
        ours = isinstance(error, S3Failure) and not isinstance(error, NoSuchBucket | NoSuchKey | AccessDenied)
        fault: Fault = "internal" if ours else "client"
        message = (
            f"Could not access model data at {uri}. Please ensure that the object exists and that the role "
            f'"{assignment.job.role_arn}" has "s3:GetObject" permissions: {error}'
        )
        raise JobFailure(fault, message) from error
