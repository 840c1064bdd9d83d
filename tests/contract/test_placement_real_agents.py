"""The whole way of a training job with nothing replaced: controller, store, placement, agents, containers, S3.

The program writes a line each time it begins, and waits for the test's word: so it shows when it ran, and how often.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from sagestone.agent.files import InstanceFiles
from sagestone.agent.parts import Parts, S3Part
from sagestone.containers.labels import HOME
from sagestone.control.controller import Controller
from sagestone.domain.assign import Patience
from sagestone.domain.image import ImageReference
from sagestone.domain.instance import instance_facts
from sagestone.domain.plan.validation_plan import ValidationPlan
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import request_stop
from sagestone.placement.capacity import Capacity
from sagestone.placement.local import LocalPlacement
from sagestone.placement.nursery import Nursery
from sagestone.store.sqlite_database import open_sqlite
from tests.contract.training.training_instance import Ground, Platform
from tests.documents import algorithm, training_spec
from tests.engines import ENGINES

_PROGRAM = """
echo begun >> /opt/ml/model/begun
echo begun
while [ ! -e /opt/ml/model/go ]; do sleep 0.02; done
"""
KEY = "training/job"


@pytest.fixture(scope="module", params=["sandbox", *ENGINES])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    directory = tmp_path_factory.mktemp("platform")
    if request.param == "sandbox":
        return Platform.sandbox(directory)
    return Platform.engine(request.getfixturevalue(f"{request.param}_engine"), directory)


@pytest.fixture
def ground(platform: Platform, tmp_path: Path) -> Iterator[Ground]:
    made = Ground(platform=platform, directory=tmp_path)
    yield made
    placement = _placement(made)
    for key in placement.find():
        placement.release(key)


class Service:
    """What a service keeps in its home, with the parts that work on it."""

    def __init__(self, ground: Ground, holder: str) -> None:
        self.ground = ground
        self.store = open_sqlite(ground.directory / "state.sqlite3", lambda one: one.status.encode())
        self.placement = _placement(ground)
        self.controller = Controller(
            self.store,
            self.placement,
            region="us-east-1",
            holder=holder,
            patience=Patience(training_stop_seconds=1.0),
        )

    def create(self, instances: int = 1, program: str = _PROGRAM) -> None:
        """Register an algorithm whose validation is one training job."""
        spec = replace(
            training_spec(instances=instances),
            image=ImageReference(uri="tests/train:1", digest=self.ground.platform.digest),
            environment={"PROGRAM": program},
        )
        self.store.add_algorithm(algorithm("a", plan=ValidationPlan(profile_name="profile", training=spec)), {})
        self.controller.hint()

    def job(self) -> TrainingJob:
        job = self.store.training_job("job")
        assert job is not None
        return job

    def wait_until_begun(self, instances: int = 1) -> None:
        for number in range(1, instances + 1):
            wait_until(partial(self._has_begun_or_failed, number), self.said)
        assert not self.has_failed(), self.said()

    def _has_begun_or_failed(self, number: int) -> bool:
        return (self.model(number) / "begun").exists() or self.has_failed()

    def has_failed(self) -> bool:
        return self.status() == "Failed"

    def go(self, instances: int = 1) -> None:
        for number in range(1, instances + 1):
            (self.model(number) / "go").touch()

    def model(self, number: int) -> Path:
        return self.files(number).opt_ml / "model"

    def files(self, number: int = 1) -> InstanceFiles:
        return InstanceFiles.of(self.ground.directory / "jobs", KEY, number)

    def wait_until_over(self) -> str:
        """The algorithm's status in the end, once everything is put away."""
        wait_until(lambda: self.status() in ("Completed", "Failed"), self.said)
        wait_until(lambda: not self.placement.find(), self.said)
        assert self.ground.platform.runtime.find({HOME: "h"}) == []
        assert self.ground.platform.runtime.find_networks({HOME: "h"}) == []
        return self.status()

    def status(self) -> str:
        return (self.store.algorithm_document("a") or b"").decode()

    def said(self) -> str:
        log = self.files().log
        return f"{self.store.training_job('job')} {log.read_text() if log.exists() else ''}"


def _placement(ground: Ground) -> LocalPlacement:
    return LocalPlacement(
        jobs_directory=ground.directory / "jobs",
        runtime=ground.platform.runtime,
        parts=Parts(
            runtime=ground.platform.part,
            s3=S3Part(kind="embedded", directory=str(ground.directory / "s3")),
            logs_directory=str(ground.directory / "logs"),
        ),
        capacity=Capacity(cpus=2.0, memory_bytes=1024**3),
        catalogue=instance_facts,
        home="h",
        nursery=Nursery(os.environ),
    )


@contextmanager
def service(ground: Ground, holder: str = "one") -> Iterator[Service]:
    """A service that runs, until the end of the block."""
    made = Service(ground, holder)
    made.controller.start()
    try:
        yield made
    finally:
        assert made.controller.stop(30)
        made.store.close()


def wait_until(true: Callable[[], object], said: Callable[[], str]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)


class TestRealAgents:
    def test_a_job_completes_and_leaves_nothing_on_the_machine(self, ground: Ground) -> None:
        with service(ground) as one:
            one.create()
            one.wait_until_begun()
            one.go()
            assert one.wait_until_over() == "Completed"
            job = one.job()
        assert [entry.status for entry in job.transitions] == [
            "Starting", "Downloading", "Training", "Uploading", "Completed",
        ]  # fmt: skip
        assert job.runtime == ground.platform.runtime.name
        assert ground.archive("out/job/output/model.tar.gz")["begun"] == b"begun\n"

    def test_the_service_may_end_and_come_back_in_the_middle(self, ground: Ground) -> None:
        with service(ground) as one:
            one.create()
            one.wait_until_begun()
        with service(ground, "two") as two:
            wait_until(lambda: two.job().secondary_status == "Training", two.said)
            two.go()
            assert two.wait_until_over() == "Completed"
        assert ground.archive("out/job/output/model.tar.gz")["begun"] == b"begun\n"

    def test_a_job_may_end_while_no_service_runs(self, ground: Ground) -> None:
        with service(ground) as one:
            one.create()
            one.wait_until_begun()
        one.go()
        wait_until(lambda: one.files().events.read_bytes().count(b'"ending"'), lambda: one.files().log.read_text())
        with service(ground, "two") as two:
            assert two.wait_until_over() == "Completed"
        assert ground.archive("out/job/output/model.tar.gz")["begun"] == b"begun\n"

    def test_a_killed_agent_is_started_again_and_takes_up_its_container(self, ground: Ground) -> None:
        with service(ground) as one:
            one.create()
            one.wait_until_begun()
            os.kill(int((one.files().directory / "agent.pid").read_text()), signal.SIGKILL)
            one.go()
            assert one.wait_until_over() == "Completed"
        assert ground.archive("out/job/output/model.tar.gz")["begun"] == b"begun\n"

    def test_two_instances_and_their_network_go_together(self, ground: Ground) -> None:
        with service(ground) as one:
            one.create(instances=2)
            one.wait_until_begun(2)
            assert len(ground.platform.runtime.find_networks({HOME: "h"})) == 1
            one.go(2)
            assert one.wait_until_over() == "Completed"

    def test_when_one_instance_fails_the_others_end_too(self, ground: Ground) -> None:
        program = 'case "$(hostname)" in algo-2) exit 4;; esac; ' + _PROGRAM
        with service(ground) as one:
            one.create(instances=2, program=program)
            assert one.wait_until_over() == "Failed"
            reason = one.job().failure_reason
        assert reason is not None
        assert "exit code: 4" in reason

    def test_a_stop_keeps_what_there_is(self, ground: Ground) -> None:
        with service(ground) as one:
            one.create()
            one.wait_until_begun()
            one.store.change_job(KEY, lambda job: request_stop(job, time.time()))
            one.controller.hint()
            assert one.wait_until_over() == "Failed"
            job = one.job()
        assert (job.status, job.secondary_status) == ("Stopped", "Stopped")
        assert ground.archive("out/job/output/model.tar.gz")["begun"] == b"begun\n"
