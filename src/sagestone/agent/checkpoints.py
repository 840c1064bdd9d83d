"""The checkpoints of a training instance: restored before it starts, kept in S3 while it runs, complete at its end."""

import time
from typing import Final

from sagestone.agent.download_teller import DownloadTeller
from sagestone.agent.interruption import Interruption
from sagestone.agent.opt_ml import OptMl
from sagestone.agent.rendezvous import Rendezvous
from sagestone.agent.sync_follower import SyncFollower, last_look
from sagestone.agent.tools import Tools
from sagestone.channels.checkpoints.sync import CheckpointSync
from sagestone.channels.downloads import Progress
from sagestone.channels.file import fetch_channel
from sagestone.channels.room import Room
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.channel import Channel
from sagestone.domain.checkpoint import Checkpoint
from sagestone.domain.failure import Failure, JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3Failure, fault_of
from sagestone.s3.uri import S3Uri

#: The name of the sidecar, and of the channel as messages call it (observed).
CHANNEL: Final = "checkpoints"
_LOOK_SECONDS: Final = 0.1
_LOST_PEER_SECONDS: Final = 30.0
_ALONE: Final = Share(number=1, count=1)


class Checkpoints:
    """Does nothing at all for a job without CheckpointConfig. Called from the agent's main thread."""

    def __init__(self, assignment: TrainingAssignment, tools: Tools, opt_ml: OptMl, meeting: Rendezvous) -> None:
        self._meeting = meeting
        self._job, self._tools, self._opt_ml = assignment.job, tools, opt_ml
        self._limit_bytes = assignment.limits.volume_bytes
        self._sync: CheckpointSync | None = None
        self._follower: SyncFollower | None = None

    def restore(self, room: Room, interruption: Interruption) -> None:
        """Bring what S3 has into the new directory, which may be nothing; every host gets all of it.

        Raises JobFailure, or what the interruption raises.
        """
        config = self._job.checkpoint
        if config is None:
            return
        prefix = _prefix(config)
        sync = self._make_sync(prefix)
        sync.forget()
        self._meeting.forget_restored()
        channel = Channel(
            name=CHANNEL,
            s3_data_type="S3Prefix",
            s3_uri=str(prefix),
            distribution="FullyReplicated",
            input_mode="File",
        )
        names = self._job.channel_names
        directory = self._opt_ml.checkpoints
        sidecar = None if CHANNEL in names else self._opt_ml.sidecar(channel, names)
        try:
            nothing_there = next(iter(self._tools.s3.list(prefix)), None) is None
        except S3Failure as error:
            raise JobFailure(fault_of(error), f"Data download failed:Checkpoints: {error}") from error
        if nothing_there:  # a channel must have data, checkpoints need not
            directory.mkdir(mode=0o755)
            if sidecar is not None:
                sidecar.write_text(f"{prefix.key}\n", encoding="utf-8", errors="replace")
        else:
            progress = Progress()
            watch = DownloadTeller(self._tools, interruption, CHANNEL, progress)
            journal = self._tools.files.scratch / "checkpoints-fetched"
            journal.unlink(missing_ok=True)  # the directory is new
            fetch_channel(self._tools.s3, channel, _ALONE, directory, sidecar, journal, room, watch, progress)
            watch.end()
        sync.begin()
        self._sync = sync
        self._meeting.note_restored()

    def follow(self) -> None:
        """Keep S3 up to date from now on, on a thread of its own; also after an earlier agent died."""
        if self._job.checkpoint is None:
            return
        if self._sync is None:
            sync = self._make_sync(_prefix(self._job.checkpoint))
            if not sync.take_up():
                return
            self._sync = sync
        # another host may still be reading what a look might change
        self._follower = SyncFollower(self._sync, CHANNEL, self._tools.say, self._meeting.have_all_restored)

    def finish(self) -> Failure | None:
        """Nobody writes any more: bring S3 up to date for the last time; a failure when that cannot be done."""
        if self._sync is None:
            return None
        if self._follower is not None:
            self._follower.end()
        while not self._meeting.have_all_restored() and self._meeting.lost_peer(_LOST_PEER_SECONDS) is None:
            time.sleep(_LOOK_SECONDS)
        return last_look(self._sync, "Checkpoints", "last checkpoints")

    def _make_sync(self, prefix: S3Uri) -> CheckpointSync:
        record = self._tools.files.scratch / "checkpoints.json"
        return CheckpointSync(
            self._tools.s3, prefix, self._opt_ml.checkpoints, record, self._tools.say, self._limit_bytes
        )


def _prefix(config: Checkpoint) -> S3Uri:
    """The directory that S3Uri means: its key ends in `/`, so that `run` is not taken for `run-2` too."""
    try:
        place = S3Uri.parse(config.s3_uri)
    except ValueError as error:
        raise JobFailure(fault_of(error), f"Data download failed:Checkpoints: {error}") from error
    return S3Uri(place.bucket, place.key and place.key.rstrip("/") + "/")
