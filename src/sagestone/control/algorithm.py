"""Carries one algorithm a step further: at most one change of the store each time it is asked."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from sagestone.control.progress import Progress
from sagestone.control.validation import (
    Begin,
    Finish,
    MakeModel,
    Remove,
    StartTraining,
    StartTransform,
    Step,
    next_step,
)
from sagestone.domain.algorithm import Algorithm
from sagestone.domain.model import Model
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob
from sagestone.domain.transition import (
    begin_validation,
    complete_validation,
    fail_validation,
    new_training_job,
    new_transform_job,
)
from sagestone.store.interface import NameTaken, Store

_GROUP = 200


class AlgorithmReconciler:
    """Follows `next_step`. Every act is one transaction, and doing it twice does no harm."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock

    def complete_without_plan(self, names: Sequence[str]) -> None:
        """Complete those that are Pending and have nothing to validate, many in one transaction.

        A shortcut for bursts: `reconcile` takes the same steps one by one.
        """
        known = [self._store.algorithm(name) for name in names]
        ready = [one.name for one in known if one is not None and _completed_without_plan(one) is not one]
        for first in range(0, len(ready), _GROUP):
            self._store.change_algorithms(ready[first : first + _GROUP], _completed_without_plan)

    def reconcile(self, name: str, holder: str) -> Progress:
        """One step; `holder` has the lease on it."""
        algorithm = self._store.algorithm(name)
        if algorithm is None:
            return "done"
        return self._take(algorithm, self._next_step(algorithm), holder)

    def give_up(self, name: str, reason: str) -> None:
        """The algorithm failed for a reason that is ours."""
        algorithm = self._store.algorithm(name)
        if algorithm is None or algorithm.status not in ("Pending", "InProgress"):
            return
        self._store.change_algorithm(name, lambda known: fail_validation(_begun(known), reason))

    def _next_step(self, algorithm: Algorithm) -> Step:
        plan = algorithm.plan
        return next_step(
            algorithm,
            self._store.training_job(plan.training.name) if plan else None,
            self._store.transform_job(plan.transform.name) if plan and plan.transform else None,
            has_model=bool(plan and plan.model and self._store.resource(Model, plan.model.name)),
        )

    def _take(self, algorithm: Algorithm, step: Step, holder: str) -> Progress:
        name, now = algorithm.name, self._clock()
        match step:
            case Begin():
                self._store.change_algorithm(name, begin_validation, holder)
                return "moved"
            case StartTraining(spec):
                return self._add(new_training_job(spec, now))
            case MakeModel(model):
                with suppress(NameTaken):
                    self._store.add_resource(replace(model, created_at=round(now, 3)), {})
                return "moved"
            case StartTransform(spec):
                return self._add(new_transform_job(spec, now))
            case Finish(None):
                self._store.change_algorithm(name, complete_validation, holder)
                return "done"
            case Finish(reason):
                self._store.change_algorithm(name, lambda known: fail_validation(known, reason or ""), holder)
                return "done"
            case Remove():
                self._store.remove_algorithm(name, holder)
                return "done"
            case _:
                return "waiting"

    def _add(self, job: TrainingJob | TransformJob) -> Progress:
        with suppress(NameTaken):  # added between the look and the act
            self._store.add_job(job, {})
        return "moved"


def _completed_without_plan(algorithm: Algorithm) -> Algorithm:
    if algorithm.plan is not None or algorithm.status != "Pending":
        return algorithm
    return complete_validation(begin_validation(algorithm))


def _begun(algorithm: Algorithm) -> Algorithm:
    return begin_validation(algorithm) if algorithm.status == "Pending" else algorithm
