"""Carries one algorithm or model package a step further: at most one change of the store each time it is asked."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from sagestone.control.progress import Progress
from sagestone.control.validation import (
    Begin,
    Finish,
    MakeModel,
    Remove,
    StartTraining,
    StartTransform,
    Step,
    Wait,
    next_package_step,
    next_step,
)
from sagestone.domain.algorithm import Algorithm
from sagestone.domain.model import Model
from sagestone.domain.model_package import ModelPackage
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob
from sagestone.domain.transition import (
    begin_validation,
    complete_validation,
    fail_validation,
    new_training_job,
    new_transform_job,
)
from sagestone.domain.transition.validation import Validated
from sagestone.store.interface import NameTaken, Store

#: What the first part of a key stands for.
KINDS: Final[dict[str, type[Algorithm] | type[ModelPackage]]] = {"algorithm": Algorithm, "model-package": ModelPackage}


class ValidatedReconciler:
    """Follows the next step of each kind. Every act is one transaction, and doing it twice does no harm.

    Keys are `algorithm/NAME` and `model-package/NAME`.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._asleep: dict[str, str] = {}  # by key: the job that it waits for
        self._sleepers: dict[str, str] = {}  # the same, by job

    def waits(self, key: str) -> bool:
        """Whether there is nothing to do as long as its job runs; it is not looked at again before it is woken."""
        if key in self._asleep:
            return True
        resource = self._resource(key)
        step = None if resource is None else self._step(resource)
        if not isinstance(step, Wait) or step.job is None:
            return False
        self._asleep[key], self._sleepers[step.job] = step.job, key
        return True

    def wake_for(self, job: str) -> None:
        """That job is over."""
        self._asleep.pop(self._sleepers.pop(job, ""), None)

    def wake_all(self) -> None:
        """Look at each again."""
        self._asleep.clear()
        self._sleepers.clear()

    def reconcile(self, key: str, holder: str) -> Progress:
        """One step; `holder` has the lease on it."""
        resource = self._resource(key)
        if isinstance(resource, Algorithm):
            return self._take(Algorithm, resource, self._step(resource), holder)
        if isinstance(resource, ModelPackage):
            return self._take(ModelPackage, resource, self._step(resource), holder)
        return "done"

    def give_up(self, key: str, reason: str) -> None:
        """It failed for a reason that is ours."""
        resource = self._resource(key)
        if isinstance(resource, Algorithm):
            self._fail(Algorithm, resource, reason)
        elif isinstance(resource, ModelPackage):
            self._fail(ModelPackage, resource, reason)

    def _resource(self, key: str) -> Algorithm | ModelPackage | None:
        kind, _, name = key.partition("/")
        return self._store.resource(KINDS[kind], name)

    def _step(self, resource: Algorithm | ModelPackage) -> Step:
        return self._next_step(resource) if isinstance(resource, Algorithm) else self._next_package_step(resource)

    def _next_step(self, algorithm: Algorithm) -> Step:
        plan = algorithm.plan
        return next_step(
            algorithm,
            self._store.training_job(plan.training.name) if plan else None,
            self._store.transform_job(plan.transform.name) if plan and plan.transform else None,
            has_model=bool(plan and plan.model and self._store.resource(Model, plan.model.name)),
        )

    def _next_package_step(self, package: ModelPackage) -> Step:
        plan = package.plan
        return next_package_step(
            package,
            self._store.transform_job(plan.transform.name) if plan else None,
            has_model=bool(plan and self._store.resource(Model, plan.model.name)),
        )

    def _take(self, kind: type[Validated], resource: Validated, step: Step, holder: str) -> Progress:
        name, now = resource.name, self._clock()
        match step:
            case Begin():
                self._store.change_resource(kind, name, begin_validation, holder)
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
                self._store.change_resource(kind, name, complete_validation, holder)
                return "done"
            case Finish(reason):
                self._store.change_resource(kind, name, lambda known: fail_validation(known, reason or ""), holder)
                return "done"
            case Remove():
                self._store.remove_resource(kind, name, holder)
                return "done"
            case _:
                return "waiting"

    def _fail(self, kind: type[Validated], resource: Validated, reason: str) -> None:
        if resource.status in ("Pending", "InProgress"):
            self._store.change_resource(kind, resource.name, lambda known: fail_validation(_begun(known), reason))

    def _add(self, job: TrainingJob | TransformJob) -> Progress:
        with suppress(NameTaken):  # added between the look and the act
            self._store.add_job(job, {})
        return "moved"


def _begun(resource: Validated) -> Validated:
    return begin_validation(resource) if resource.status == "Pending" else resource
