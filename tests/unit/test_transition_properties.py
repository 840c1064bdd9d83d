"""Whatever instances tell, in whatever order it is heard: a job's life keeps the rules."""

import itertools
from collections.abc import Sequence

import hypothesis.strategies as st
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sagestone.domain.event import Ending, InstanceEvent, Outcome, Stage
from sagestone.domain.failure import Failure, Fault
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import (
    advance,
    begin_run,
    end_wait,
    fail,
    new_training_job,
    new_transform_job,
    place,
    request_interruption,
    request_stop,
    wait_for_capacity,
)
from sagestone.domain.transition.rules import JOB_MOVES
from tests.documents import event, training_spec, transform_spec

INSTANCES = 3
KEY = "training/job"

stages = st.sampled_from(["Starting", "Downloading", "Training", "Uploading"])
endings = st.sampled_from(["Completed", "Failed", "Stopped", "MaxRuntimeExceeded"])
faults = st.sampled_from(["algorithm", "client", "internal"])
instances = st.integers(1, INSTANCES)


class TrainingLife(RuleBasedStateMachine):
    """Instances tell things; the owner waits, places, stops; old news comes again."""

    def __init__(self) -> None:
        super().__init__()
        spec = training_spec(instances=INSTANCES, spot=True, max_retries=2, max_wait_seconds=60)
        self.job = new_training_job(spec, 1000.0)
        self.now = 1000.0
        self.told: list[InstanceEvent] = []
        self.seqs = dict.fromkeys(range(1, INSTANCES + 1), 0)

    @rule(instance=instances, stage=stages, message=st.sampled_from(["", "a", "b"]), passed=st.floats(-1, 10))
    def tells_a_stage(self, instance: int, stage: Stage, message: str, passed: float) -> None:
        self._tell(instance, passed, stage=stage, message=message)

    @rule(instance=instances, ending=st.one_of(endings, st.just("Interrupted")), fault=faults, passed=st.floats(0, 10))
    def ends(self, instance: int, ending: Ending, fault: Fault, passed: float) -> None:
        failure = Failure(fault=fault, message=f"of {instance}") if ending == "Failed" else None
        self._tell(instance, passed, outcome=Outcome(ending=ending, failure=failure))

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def hears_old_news(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.told))
        assert advance(self.job, old) is self.job

    @precondition(lambda self: not self.job.finished)
    @rule()
    def is_placed(self) -> None:
        self._become(place(self.job, "sandbox", self.now))

    @precondition(lambda self: not self.job.finished)
    @rule()
    def waits(self) -> None:
        self._become(wait_for_capacity(self.job, self.now))

    @precondition(lambda self: not self.job.finished)
    @rule()
    def is_to_stop(self) -> None:
        self._become(request_stop(self.job, self.now))

    @precondition(lambda self: self.job.status == "InProgress" and self.job.runtime is not None)
    @rule()
    def is_taken_away(self) -> None:
        self._become(request_interruption(self.job, self.now))

    @precondition(lambda self: self.job.run_over)
    @rule()
    def runs_again(self) -> None:
        if not self.job.finished:
            before = self.job.run
            self._become(begin_run(self.job, self.now))
            assert self.job.run == before + 1
            self.told, self.seqs = [], dict.fromkeys(self.seqs, 0)

    @rule()
    def may_have_waited_too_long(self) -> None:
        self._become(end_wait(self.job, self.now))

    @precondition(lambda self: not self.job.finished)
    @rule()
    def is_failed(self) -> None:
        self._become(fail(self.job, Failure(fault="internal", message="x"), self.now))

    @invariant()
    def time_line_is_whole(self) -> None:
        line = self.job.transitions
        assert line[0].started_at == self.job.created_at
        assert line[-1].status == self.job.secondary_status
        for entry, following in itertools.pairwise(line):
            assert entry.ended_at == following.started_at >= entry.started_at
            assert entry.status != following.status
        assert all(entry.message for entry in line)

    @invariant()
    def the_end_is_the_end(self) -> None:
        last = self.job.transitions[-1]
        if self.job.finished:
            assert last.started_at == last.ended_at == self.job.ended_at
            assert (self.job.failure_reason is not None) == (self.job.status == "Failed")
        else:
            assert last.ended_at is None
            assert self.job.ended_at is None
            assert self.job.failure_reason is None
        assert (self.job.stop_requested_at is not None) >= (self.job.status == "Stopping")
        assert self.job.modified_at >= self.job.created_at

    def _tell(
        self, instance: int, passed: float, *, stage: Stage | None = None, message: str = "",
        outcome: Outcome | None = None,
    ) -> None:  # fmt: skip
        self.now += max(0.0, passed)
        self.seqs[instance] += 1
        at = self.now + min(0.0, passed)  # clocks of machines differ a little
        one = event(KEY, self.seqs[instance], at, instance=instance, stage=stage, message=message, outcome=outcome)
        self.told.append(one)
        self._become(advance(self.job, one))

    def _become(self, after: object) -> None:
        assert isinstance(after, TrainingJob)
        assert after.status == self.job.status or after.status in JOB_MOVES[self.job.status]
        assert after.transitions[: len(self.job.transitions) - 1] == self.job.transitions[:-1]
        assert len(after.transitions) <= 8 * (after.run + after.retries)
        assert after.used_seconds >= self.job.used_seconds
        assert after.retries <= 2
        self.job = after


TestTrainingLife = TrainingLife.TestCase


@given(
    st.lists(st.tuples(endings, faults, st.integers(1, 5)), min_size=2, max_size=4),
    st.permutations(range(4)),
    st.booleans(),
)
def test_how_a_job_ends_does_not_depend_on_who_is_heard_first(
    ends: Sequence[tuple[Ending, Fault, int]], order: Sequence[int], training: bool
) -> None:
    count = len(ends)
    key = "training/job" if training else "transform/job"
    outcomes = [
        event(
            key, 1, 100.0 + at, instance=number, outcome=Outcome(ending=ending, failure=_failure(ending, fault, number))
        )
        for number, (ending, fault, at) in enumerate(ends, start=1)
    ]
    results = set()
    for numbers in (range(count), [number for number in order if number < count]):
        job = (
            new_training_job(training_spec(instances=count), 100.0)
            if training
            else new_transform_job(transform_spec(instances=count), 100.0)
        )
        for number in numbers:
            job = advance(job, outcomes[number])
        results.add((job.status, job.failure_reason, job.ended_at))
    assert len(results) == 1


def _failure(ending: Ending, fault: Fault, number: int) -> Failure | None:
    return Failure(fault=fault, message=f"of {number}") if ending == "Failed" else None
