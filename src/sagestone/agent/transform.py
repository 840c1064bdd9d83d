"""Carries out one host's part of a transform job: Starting → Downloading → Training (the requests) → Uploading → ended.

What is remembered, so that another agent can go on where this one died: which objects are this host's and which of them
are finished (scratch/objects.jsonl, scratch/finished.jsonl), and the containers (found by their labels, never made
twice). An object that was being transformed begins anew; its output was not visible. The outcome is committed before
anything is cleaned up.
"""

import sys
from typing import get_args

from sagestone.agent.serving import Serving
from sagestone.agent.serving_watch import ServingWatch
from sagestone.agent.stop import StopAsked
from sagestone.agent.tools import Tools
from sagestone.agent.transform_capture import check_destination, write_captures
from sagestone.agent.transform_model import fetch_models
from sagestone.agent.transform_objects import ObjectList
from sagestone.agent.transform_requests import transform_objects
from sagestone.agent.transform_verdict import ended_early, job_failure, not_ready
from sagestone.archive.remove import remove_tree
from sagestone.archive.room import when_there_is_room
from sagestone.containers.runtime import RuntimeFailure
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.event import Outcome, Stage
from sagestone.domain.failure import Failure, JobFailure
from sagestone.inference.invoke import ContainerEnded
from sagestone.inference.ready import NotReady
from sagestone.s3.client import S3Failure

_STAGES: tuple[Stage, ...] = get_args(Stage)
_QUICK_STOP_SECONDS = 2.0  # for a container that has nothing more to do and whose job has been told to be over


def run_transform(assignment: TransformAssignment, tools: Tools) -> None:
    """Do whatever is still to do, tell the outcome once, then remove the containers and the data."""
    tools.files.scratch.mkdir(parents=True, exist_ok=True)
    serving = Serving(assignment, tools)
    if tools.reporter.outcome is None:
        outcome = _outcome(assignment, tools, serving)
        for role in serving.roles:
            role.logs.flush()  # whoever hears of the end may read the logs, and this agent may die
        tools.reporter.ended(outcome)
    try:
        serving.remove(min(_QUICK_STOP_SECONDS, assignment.stop_grace_seconds))
        remove_tree(tools.files.opt_ml)
        remove_tree(tools.files.scratch)
        remove_tree(tools.files.spools)
        remove_tree(tools.files.tmp)
    except (RuntimeFailure, OSError) as error:
        sys.stderr.write(f"left behind after the end: {error}\n")


def _outcome(assignment: TransformAssignment, tools: Tools, serving: Serving) -> Outcome:
    try:
        return _transform(assignment, tools, serving)
    except StopAsked as asked:
        exit_ = serving.stop(assignment.stop_grace_seconds)
        return Outcome(ending=asked.reason, exit_code=None if exit_ is None else exit_.code)
    except NotReady as error:
        return Outcome(ending="Failed", failure=not_ready(str(error)))
    except ContainerEnded as error:
        return ended_early(assignment, error, serving.last_words())
    except JobFailure as error:
        return Outcome(ending="Failed", failure=error.failure)
    except RuntimeFailure as error:
        message = f"The container runtime ({tools.runtime.name}) failed on {assignment.host.name}: {error}"
        return Outcome(ending="Failed", failure=Failure(fault="internal", message=message))
    except S3Failure as error:
        return Outcome(ending="Failed", failure=Failure(fault="internal", message=str(error)))


def _transform(assignment: TransformAssignment, tools: Tools, serving: Serving) -> Outcome:
    tools.stop.check()
    objects = ObjectList(tools.files.scratch)
    check_destination(tools.s3, assignment.job.data_capture)
    when_there_is_room(lambda: objects.deal(tools.s3, assignment, tools.stop.check))
    if objects.any_pending():
        _enter(tools, "Downloading", "Downloading the model")
        fetch_models(assignment, tools, serving.roles)
        if tools.volume is not None:
            tools.volume.check_written(tools.files)
        _enter(tools, "Training", "Waiting for the container to answer /ping")
        serving.take_up()
        with ServingWatch(assignment, tools, serving):
            serving.wait_until_ready()
            _enter(tools, "Training", "Transforming")
            transform_objects(assignment, tools, serving, objects)
        _enter(tools, "Uploading", "Uploading the last results")
    write_captures(tools.s3, assignment, objects.transformed)
    failure = job_failure(objects)
    return Outcome(ending="Completed" if failure is None else "Failed", failure=failure)


def _enter(tools: Tools, stage: Stage, message: str) -> None:
    """Tell a stage, unless an earlier agent had come further already."""
    last = tools.reporter.last_stage
    if last is None or _STAGES.index(stage) >= _STAGES.index(last):
        tools.reporter.stage(stage, message)
