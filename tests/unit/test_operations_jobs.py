"""The operations on training and transform jobs, over a real store."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.plan.validation_plan import ValidationPlan
from sagestone.domain.transition import new_training_job, new_transform_job
from sagestone.wire.errors import ValidationException
from tests.unit.requests import full_request
from tests.unit.served import Served

TRAINING_JOB, TRANSFORM_JOB = "TrainingJob", "TransformJob"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    made.call("CreateAlgorithm", full_request())
    yield made
    made.store.close()


def add_jobs(served: Served) -> ValidationPlan:
    algorithm = served.store.algorithm("trees")
    assert algorithm is not None
    assert algorithm.plan is not None
    assert algorithm.plan.transform is not None
    served.store.add_job(new_training_job(algorithm.plan.training, served.now), {})
    served.store.add_job(new_transform_job(algorithm.plan.transform, served.now), {})
    return algorithm.plan


def end(served: Served, key: str) -> None:
    outcome = Outcome(ending="Completed", exit_code=0)
    served.store.apply_event(InstanceEvent(job=key, instance=1, seq=1, at=served.now + 5, outcome=outcome))


@pytest.mark.parametrize("kind", [TRAINING_JOB, TRANSFORM_JOB])
def test_describe_shows_the_job(served: Served, kind: str) -> None:
    plan = add_jobs(served)
    shown = served.call(f"Describe{kind}", {f"{kind}Name": plan.training.name})
    assert shown[f"{kind}Status"] == "InProgress"
    with pytest.raises(ValidationException, match=r"^Requested resource not found.$"):
        served.call(f"Describe{kind}", {f"{kind}Name": "other"})


@pytest.mark.parametrize("kind", [TRAINING_JOB, TRANSFORM_JOB])
def test_stop_is_recorded_at_once_and_refused_at_the_end(served: Served, kind: str) -> None:
    plan = add_jobs(served)
    name = {f"{kind}Name": plan.training.name}
    hints = served.hints
    assert served.call(f"Stop{kind}", name) == {}
    assert served.call(f"Stop{kind}", name) == {}
    assert served.call(f"Describe{kind}", name)[f"{kind}Status"] == "Stopping"
    assert served.hints > hints
    end(served, plan.training.key if kind == TRAINING_JOB else f"transform/{plan.training.name}")
    noun = kind.removesuffix("Job").lower()
    with pytest.raises(ValidationException, match=f"^The request was rejected because the {noun} job is in status "):
        served.call(f"Stop{kind}", name)
    with pytest.raises(ValidationException, match=r"^Requested resource not found.$"):
        served.call(f"Stop{kind}", {f"{kind}Name": "other"})


@pytest.mark.parametrize(("kind", "newest_first"), [(TRAINING_JOB, False), (TRANSFORM_JOB, True)])
def test_lists_filter_and_sort(served: Served, kind: str, newest_first: bool) -> None:
    plan = add_jobs(served)
    assert plan.transform is not None
    later = served.now + 10
    served.store.add_job(new_training_job(replace(plan.training, name="later", arn="arn:later"), later), {})
    served.store.add_job(new_transform_job(replace(plan.transform, name="later", arn="arn:later2"), later), {})
    end(served, "training/later")
    end(served, "transform/later")

    def names(**parameters: object) -> list[str]:
        rows = served.call(f"List{kind}s", parameters)[f"{kind}Summaries"]
        return [row[f"{kind}Name"] for row in rows]

    both = [plan.training.name, "later"]
    assert names() == (both[::-1] if newest_first else both)
    assert names(StatusEquals="Completed") == ["later"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["later", plan.training.name]
    assert names(LastModifiedTimeBefore=served.now + 1) == [plan.training.name]
