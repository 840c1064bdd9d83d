"""The Downloading stage of a training instance: the image, the /opt/ml tree and the channels."""

from sagestone.agent.checkpoints import Checkpoints
from sagestone.agent.download_teller import DownloadTeller
from sagestone.agent.file_systems import file_system_mounts
from sagestone.agent.interruption import Interruption
from sagestone.agent.opt_ml import OptMl
from sagestone.agent.tensorboard import TensorBoardOutput
from sagestone.agent.tools import Tools
from sagestone.archive.remove import remove_tree
from sagestone.channels.downloads import Progress
from sagestone.channels.file import fetch_channel
from sagestone.channels.live import LiveParts
from sagestone.channels.room import Room
from sagestone.containers.runtime import ImageNotFound, RuntimeFailure
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.failure import JobFailure
from sagestone.s3.uri import S3Uri


def prepare(
    assignment: TrainingAssignment,
    tools: Tools,
    opt_ml: OptMl,
    live: LiveParts,
    checkpoints: Checkpoints,
    tensorboard: TensorBoardOutput,
    interruption: Interruption,
) -> None:
    """Have everything on this machine that the container needs; goes on where an earlier agent was cut off.

    Objects that it fetched whole are kept while they are the same in S3; all else of the tree is made anew.
    Channels come in order: one with a live part is started, the others are fetched. Raises JobFailure, or what the
    interruption raises.
    """
    tools.reporter.stage("Downloading", "Downloading the training image")
    _have_image(assignment, tools)
    interruption.check()
    file_system_mounts(assignment.job.file_systems, tools.file_systems)  # before much is downloaded in vain
    live.stop()  # what an earlier agent left: a tree with a mount in it must not be removed
    fetched = tools.files.scratch / "fetched"
    journals = {channel.name: fetched / channel.name for channel in assignment.job.channels}
    opt_ml.clear({name for name, journal in journals.items() if journal.exists()})
    opt_ml.make(assignment)
    room = Room(limit=assignment.limits.volume_bytes)
    for channel, share in assignment.channels:
        progress = Progress()
        watch = DownloadTeller(tools, interruption, channel.name, progress)
        part = live.of(channel.name)
        if part is not None:
            objects = part.start(watch)
        else:
            objects = fetch_channel(
                tools.s3,
                channel,
                share,
                opt_ml.channel(channel),
                opt_ml.sidecar(channel, assignment.job.channel_names),
                journals[channel.name],
                room,
                watch,
                progress,
            )
        watch.end()
        if objects == 0:
            raise _nothing_there(assignment, channel.s3_uri)
    checkpoints.restore(room, interruption)
    tensorboard.begin()
    remove_tree(fetched)  # from here on a program may change what it was given: nothing is to be vouched for


def _have_image(assignment: TrainingAssignment, tools: Tools) -> None:
    image = assignment.job.image
    try:
        tools.runtime.image(image.digest)
    except ImageNotFound as error:
        raise JobFailure(
            "client",
            "Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect. "
            f"{image.uri} at {image.digest}: {error}",
        ) from error
    except RuntimeFailure as error:
        raise JobFailure("internal", f"the image {image.uri} cannot be looked up: {error}") from error


def _nothing_there(assignment: TrainingAssignment, uri: str) -> JobFailure:
    bucket = S3Uri.parse(uri).bucket
    return JobFailure(
        "client",
        f'Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
        f"the bucket exists in the selected region ({assignment.region}), that objects exist under that S3 prefix, and "
        f'that the role "{assignment.job.role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".',
    )
