"""Carries out one host's part of a training job: Starting → Downloading → Training → Uploading → ended.

What is remembered, so that another agent can go on where this one died: the events told (how far it came), the
container (found by its labels, never made twice), and the verdict in the rendezvous (how the container ended). Things
are committed first and cleaned up afterwards.
"""

import sys
import time
from dataclasses import replace

from sagestone.agent.artifacts import upload_artifacts
from sagestone.agent.checkpoints import Checkpoints
from sagestone.agent.interruption import Interrupted, Interruption
from sagestone.agent.opt_ml import OptMl
from sagestone.agent.rendezvous import Rendezvous
from sagestone.agent.run_clock import began_at, this_start
from sagestone.agent.tensorboard import TensorBoardOutput
from sagestone.agent.tools import Tools
from sagestone.agent.training_container import TrainingContainer
from sagestone.agent.training_downloads import prepare
from sagestone.agent.training_live import live_parts
from sagestone.archive.remove import remove_tree
from sagestone.archive.room import when_there_is_room
from sagestone.channels.live import LiveParts
from sagestone.containers.runtime import RuntimeFailure
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.event import Outcome
from sagestone.domain.failure import Failure, JobFailure

_LOST_PEER_SECONDS = 30.0
_LOOK_SECONDS = 0.1


def run_training(assignment: TrainingAssignment, tools: Tools) -> None:
    """Do whatever is still to do, tell the outcome once, then remove the container and the data."""
    opt_ml = OptMl(tools.files.opt_ml)
    meeting = Rendezvous(tools.files, assignment.host)
    live = live_parts(assignment, tools, opt_ml)
    checkpoints = Checkpoints(assignment, tools, opt_ml, meeting)
    tensorboard = TensorBoardOutput(assignment, tools, opt_ml)
    container = TrainingContainer(assignment, tools, opt_ml, live)
    if tools.reporter.outcome is None:
        verdict = meeting.own
        if verdict is None:
            verdict = _train(assignment, tools, opt_ml, container, live, checkpoints, tensorboard, meeting)
            for lost in (_unwritten(tools), checkpoints.finish(), tensorboard.finish()):
                if lost is not None:
                    verdict = _with_failure(verdict, lost)
            meeting.leave(verdict)
        _stop(live)
        outcome = _deliver(assignment, tools, verdict, meeting)
        tools.logs.flush()  # whoever hears of the end may read the log, and this agent may die
        tools.reporter.ended(outcome)
    _clean_up(assignment, container, live, opt_ml, meeting)


def _train(
    assignment: TrainingAssignment,
    tools: Tools,
    opt_ml: OptMl,
    container: TrainingContainer,
    live: LiveParts,
    checkpoints: Checkpoints,
    tensorboard: TensorBoardOutput,
    meeting: Rendezvous,
) -> Outcome:
    """Everything up to the end of the container; its artifacts and last checkpoints are still to be uploaded."""
    interruption = Interruption(tools.stop, meeting)
    begun = when_there_is_room(lambda: began_at(tools.files.scratch / "begun", this_start()))
    tools.stop.end_at(begun + assignment.job.max_runtime_seconds - assignment.used_seconds)
    try:
        if tools.reporter.last_stage in ("Training", "Uploading"):
            checkpoints.follow()
            tensorboard.follow()
            return container.resume(interruption)
        prepare(assignment, tools, opt_ml, live, checkpoints, tensorboard, interruption)
        checkpoints.follow()
        tensorboard.follow()
        return container.run(interruption)
    except Interrupted as interrupted:
        return interrupted.outcome
    except JobFailure as error:
        return Outcome(ending="Failed", failure=error.failure)
    except (RuntimeFailure, OSError) as error:
        what = f"The container runtime ({tools.runtime.name})" if isinstance(error, RuntimeFailure) else "The machine"
        message = f"{what} failed on {assignment.host.name}: {error}"
        return Outcome(ending="Failed", failure=Failure(fault="internal", message=message))


def _deliver(assignment: TrainingAssignment, tools: Tools, verdict: Outcome, meeting: Rendezvous) -> Outcome:
    """The first host uploads what all hosts left, also when the job failed or was stopped; the others have ended.

    A host whose container never ran has nothing to upload, nor has one that is taken away: the job runs again. The
    first failure stays the job's, whatever comes after it.
    """
    if assignment.host.number != 1 or verdict.exit_code is None or verdict.ending == "Interrupted":
        return verdict
    lost = _await_peers(tools, meeting)
    if lost is not None and verdict.ending == "Completed":
        verdict = _with_failure(verdict, Failure(fault="internal", message=f"The agent of algo-{lost} is gone"))
    tools.reporter.stage("Uploading", "Uploading generated training model")
    others = [meeting.peer_files(peer) for peer in meeting.peers]
    hosts = [OptMl(files.opt_ml) for files in (tools.files, *others)]
    try:
        if tools.volume is not None:
            for files in others:
                tools.volume.open_peer(files)
        uploaded = upload_artifacts(assignment.job, hosts, tools.s3, assignment.limits.volume_bytes)
    except JobFailure as error:
        tools.say(error.failure.reason)
        return _with_failure(verdict, error.failure)
    for note in uploaded.notes:
        tools.say(note)
    return replace(verdict, artifact_uri=uploaded.model_uri)


def _unwritten(tools: Tools) -> Failure | None:
    """A failure where the disk lost something that was written to an encrypted volume."""
    try:
        if tools.volume is not None:
            tools.volume.check_written(tools.files)
    except JobFailure as error:
        return error.failure
    return None


def _with_failure(verdict: Outcome, failure: Failure) -> Outcome:
    return Outcome(ending="Failed", exit_code=verdict.exit_code, failure=verdict.failure or failure)


def _await_peers(tools: Tools, meeting: Rendezvous) -> int | None:
    """Wait until all other hosts have ended; the number of one whose agent died and did not come back."""
    while any(meeting.verdict(peer) is None for peer in meeting.peers):
        lost = meeting.lost_peer(_LOST_PEER_SECONDS)
        if lost is not None:
            return lost
        time.sleep(_LOOK_SECONDS)
    return None


def _stop(live: LiveParts) -> None:
    """The container has ended, or never ran: nothing is to be streamed while its artifacts are uploaded."""
    try:
        live.stop()
    except OSError as error:
        sys.stderr.write(f"a channel was not taken down: {error}\n")


def _clean_up(
    assignment: TrainingAssignment,
    container: TrainingContainer,
    live: LiveParts,
    opt_ml: OptMl,
    meeting: Rendezvous,
) -> None:
    """Free the disk. Artifacts of several hosts stay until the first host, which uploads them, has ended.

    What cannot be removed is said in the agent's log: the placement tries again when it releases the instance.
    """
    trees = [opt_ml.root]
    if assignment.host.number != 1:
        trees = [opt_ml.root / "input", opt_ml.checkpoints, opt_ml.tensorboard]
    else:
        trees += [meeting.peer_files(peer).opt_ml for peer in meeting.peers if meeting.verdict(peer) is not None]
    try:
        container.remove()
        live.stop()  # a tree with a mount in it must not be removed
        for tree in trees:
            remove_tree(tree)
    except (RuntimeFailure, OSError) as error:
        sys.stderr.write(f"left behind after the end: {error}\n")
