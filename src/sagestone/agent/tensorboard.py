"""The TensorBoard output of a training instance: it goes to S3 while the program writes it, and whole at its end."""

from typing import Final

from sagestone.agent.opt_ml import OptMl
from sagestone.agent.sync_follower import SyncFollower, last_look
from sagestone.agent.tools import Tools
from sagestone.channels.checkpoints.sync import CheckpointSync
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.failure import Failure, JobFailure
from sagestone.s3.uri import S3Uri

_SUBJECT: Final = "TensorBoard output"


class TensorBoardOutput:
    """Does nothing at all for a job without TensorBoardOutputConfig. Called from the agent's main thread.

    All hosts write below one prefix, on which what an earlier run of the job left stays.
    """

    def __init__(self, assignment: TrainingAssignment, tools: Tools, opt_ml: OptMl) -> None:
        self._job, self._tools, self._root = assignment.job, tools, opt_ml.tensorboard
        self._limit_bytes = assignment.limits.volume_bytes
        self._sync: CheckpointSync | None = None
        self._follower: SyncFollower | None = None

    def begin(self) -> None:
        """Make the empty directory; raises JobFailure where its place in S3 is none."""
        if self._job.tensorboard is None:
            return
        sync = self._make_sync(self._job.tensorboard.place(self._job.name))
        sync.forget()
        self._root.mkdir(mode=0o755)
        sync.begin()
        self._sync = sync

    def follow(self) -> None:
        """Keep S3 up to date from now on; also after an earlier agent died."""
        if self._job.tensorboard is None:
            return
        if self._sync is None:
            sync = self._make_sync(self._job.tensorboard.place(self._job.name))
            if not sync.take_up():
                return
            self._sync = sync
        self._follower = SyncFollower(self._sync, _SUBJECT, self._tools.say)

    def finish(self) -> Failure | None:
        """Nobody writes any more: bring S3 up to date for the last time; a failure when that cannot be done."""
        if self._sync is None:
            return None
        if self._follower is not None:
            self._follower.end()
        return last_look(self._sync, _SUBJECT, _SUBJECT)

    def _make_sync(self, uri: str) -> CheckpointSync:
        try:
            prefix = S3Uri.parse(uri)
        except ValueError as error:
            raise JobFailure("client", f"TensorBoardOutputConfig: {error}") from error
        record = self._tools.files.scratch / "tensorboard.json"
        return CheckpointSync(
            self._tools.s3,
            prefix,
            self._root,
            record,
            self._tools.say,
            self._limit_bytes,
            subject=_SUBJECT,
            mirror=False,
        )
