"""The Downloading stage of a transform instance: the image, and the model unpacked where the container will read it."""

from collections.abc import Sequence
from pathlib import Path

from sagestone.agent.serving_container import Role
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


def volume_bytes(assignment: TransformAssignment) -> int:
    """What an instance may hold of a model, or of one answer."""
    return assignment.limits.volume_bytes or _VOLUME_BYTES


def fetch_models(assignment: TransformAssignment, tools: Tools, roles: Sequence[Role]) -> None:
    """Have the images and the unpacked models on this machine; what an earlier agent left whole is kept.

    Raises JobFailure: client where a model is not there or no good archive, and where an image is missing.
    """
    for role in roles:
        image = role.served.image
        try:
            tools.runtime.image(image.digest)
        except ImageNotFound as error:
            raise JobFailure("client", f"The image {image.uri} at {image.digest} cannot be had: {error}") from error
    for role in roles:
        if role.served.model_uri is not None:
            _fetch_model(role.served.model_uri, role.model, assignment, tools)


def _fetch_model(uri: str, target: Path, assignment: TransformAssignment, tools: Tools) -> None:
    whole = tools.files.scratch / f"{target.name}-is-whole"
    if whole.exists():
        return
    archive = tools.files.spools / "model.tar.gz"
    _download(uri, archive, assignment, tools)
    remove_tree(target)
    target.mkdir(parents=True)
    try:
        unpack(archive, target, volume_bytes(assignment), _MOST_FILES)
    except UnsafeArchive as error:
        raise JobFailure("client", f"The model {uri} cannot be unpacked: {error}") from error
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
