"""`next_step` has an answer for everything that can be stored, and the right one."""

import itertools
from dataclasses import replace
from typing import get_args

import pytest

from sagestone.control.validation import (
    Begin,
    Finish,
    MakeModel,
    Remove,
    StartTraining,
    StartTransform,
    Step,
    Wait,
    failure_reason,
    next_package_step,
    next_step,
)
from sagestone.domain.algorithm import AlgorithmStatus
from sagestone.domain.failure import Failure
from sagestone.domain.training_job import TrainingJob, TrainingJobStatus
from sagestone.domain.transform_job import TransformJob, TransformJobStatus
from sagestone.domain.transition import (
    TransitionRefused,
    begin_validation,
    complete_validation,
    fail,
    fail_validation,
    new_training_job,
    new_transform_job,
    request_delete,
)
from sagestone.domain.transition.rules import ALGORITHM_MOVES
from tests.documents import algorithm, package, package_plan, plan, training_spec, transform_spec

STATUSES = get_args(TrainingJobStatus)
TRANSFORM_STATUSES = get_args(TransformJobStatus)
PLAN = plan()


def training(status: TrainingJobStatus | None) -> TrainingJob | None:
    return replace(new_training_job(training_spec(), 1.0), status=status) if status else None


def transform(status: TransformJobStatus | None) -> TransformJob | None:
    return replace(new_transform_job(transform_spec(), 1.0), status=status) if status else None


@pytest.mark.parametrize(
    ("train", "serve", "with_transform", "step"),
    [
        (None, None, True, StartTraining(PLAN.training)),
        ("InProgress", None, True, Wait("training/job")),
        ("Stopping", None, True, Wait("training/job")),
        ("Completed", None, True, StartTransform(PLAN.transform)),  # type: ignore[arg-type]
        ("Completed", None, False, Finish()),
        ("Completed", "InProgress", True, Wait("transform/job")),
        ("Completed", "Completed", True, Finish()),
        ("Stopped", None, True, Finish("Client error: Training job job was stopped before it completed")),
        ("Completed", "Stopped", True, Finish("Client error: Transform job job was stopped before it completed")),
    ],
)
def test_the_way_of_a_validation(
    train: TrainingJobStatus | None, serve: TransformJobStatus | None, with_transform: bool, step: Step
) -> None:
    running = begin_validation(algorithm(plan=PLAN if with_transform else plan(transform=False)))
    assert next_step(running, training(train), transform(serve), has_model=True) == step


def test_the_model_is_made_between_the_jobs() -> None:
    running = begin_validation(algorithm(plan=PLAN))
    assert PLAN.model is not None
    assert next_step(running, training("Completed"), None, has_model=False) == MakeModel(PLAN.model)
    assert next_step(running, training("Completed"), transform("InProgress"), has_model=False) == Wait("transform/job")
    older = begin_validation(algorithm(plan=replace(PLAN, model=None)))  # planned before models were made
    assert next_step(older, training("Completed"), None, has_model=False) == StartTransform(PLAN.transform)  # type: ignore[arg-type]


def test_every_combination_has_an_answer_that_the_tables_allow() -> None:
    for status, has_plan, train, serve, has_model in itertools.product(
        get_args(AlgorithmStatus), (True, False), (None, *STATUSES), (None, *TRANSFORM_STATUSES), (True, False)
    ):
        one = replace(algorithm(plan=PLAN if has_plan else None), status=status)
        step = next_step(one, training(train), transform(serve), has_model=has_model)
        if isinstance(step, Begin):
            assert begin_validation(one).status == "InProgress"
        elif isinstance(step, Finish):
            ended = fail_validation(one, step.failure_reason) if step.failure_reason else complete_validation(one)
            assert not ALGORITHM_MOVES[ended.status] - {"Deleting"}
        elif isinstance(step, Remove):
            assert status == "Deleting"
        elif isinstance(step, StartTraining | MakeModel | StartTransform):
            assert status == "InProgress"
            assert (train if isinstance(step, StartTraining) else serve) is None


def test_every_combination_of_a_package_has_an_answer_that_the_tables_allow() -> None:
    for status, has_plan, serve, has_model in itertools.product(
        get_args(AlgorithmStatus), (True, False), (None, *TRANSFORM_STATUSES), (True, False)
    ):
        one = replace(package(plan=package_plan() if has_plan else None), status=status)
        step = next_package_step(one, transform(serve), has_model=has_model)
        if isinstance(step, Begin):
            assert begin_validation(one).status == "InProgress"
        elif isinstance(step, Finish):
            ended = fail_validation(one, step.failure_reason) if step.failure_reason else complete_validation(one)
            assert not ALGORITHM_MOVES[ended.status] - {"Deleting"}
        elif isinstance(step, Remove):
            assert status == "Deleting"
        elif isinstance(step, MakeModel | StartTransform):
            assert (status, serve, has_model) == ("InProgress", None, isinstance(step, StartTransform))


def test_reasons_name_the_job_and_whose_fault_it_was() -> None:
    job = fail(new_transform_job(transform_spec("x"), 1.0), Failure(fault="algorithm", message="died"), 2.0)
    assert failure_reason(job) == "Client error: Transform job x failed: AlgorithmError: died"
    ours = fail(new_training_job(training_spec("x"), 1.0), Failure(fault="internal", message="broke"), 2.0)
    assert failure_reason(ours) == "Internal error: Training job x failed: InternalServerError: broke"
    late = replace(
        new_training_job(training_spec("x", max_runtime_seconds=60), 1.0),
        status="Stopped",
        secondary_status="MaxRuntimeExceeded",
    )
    assert failure_reason(late) == (
        "Client error: Training job x was stopped at MaxRuntimeInSeconds (60 s) before it completed"
    )


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Deleting"])
def test_delete_is_refused_while_something_goes_on(status: AlgorithmStatus) -> None:
    with pytest.raises(TransitionRefused, match=f"Cannot delete Algorithm in {status} status"):
        request_delete(replace(algorithm(), status=status))


def test_the_item_goes_with_its_algorithm() -> None:
    pending = algorithm(plan=PLAN)
    running = begin_validation(pending)
    over = fail_validation(running, "why")
    shown = [one.validation.status for one in (pending, running, over, complete_validation(running)) if one.validation]
    assert shown == ["NotStarted", "InProgress", "Failed", "Completed"]
    deleting = request_delete(over)
    assert deleting.validation == over.validation
