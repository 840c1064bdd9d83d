"""Who gets the credentials of a job's role: its own container, while it runs, and nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.container_credentials import PREFIX, credentials_path, job_of_path
from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.transition import new_training_job
from sagestone.operations.container_credentials import container_credentials
from sagestone.wire.credentials import CredentialBook
from sagestone.wire.session_tokens import open_session
from tests.documents import training_spec
from tests.unit.served import KEYS, Served

BOOK = CredentialBook([KEYS])
KEY = BOOK.seal_key("container credentials")


@given(st.text(min_size=1), st.text(), st.floats(0, 1e10))
def test_a_path_opens_with_its_own_key_alone(key: str, job: str, created_at: float) -> None:
    path = credentials_path(key, job, created_at)
    assert path.startswith(PREFIX)
    assert job_of_path(key, path) == (job, created_at, "")
    assert job_of_path(key, credentials_path(key, job, created_at, "210987654321")) == (job, created_at, "210987654321")
    assert job_of_path(f"{key}x", path) is None


@given(st.text())
def test_any_other_path_names_nobody(text: str) -> None:
    assert job_of_path(KEY, f"{PREFIX}{text}") is None


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    for name, isolated in (("open", False), ("closed", True)):
        made.store.add_job(new_training_job(training_spec(name, isolated=isolated), 1000.5), {})
    yield made
    made.store.close()


def asked(served: Served, job: str, created_at: float = 1000.5) -> Any:
    return container_credentials(lambda account: served.dependencies, credentials_path(KEY, job, created_at))


def test_the_container_of_a_running_open_job_gets_its_roles(served: Served) -> None:
    found = asked(served, "training/open")
    assert found["RoleArn"] == "arn:aws:iam::123456789012:role/r"
    session = open_session(BOOK, found["AccessKeyId"], found["Token"], served.now)
    assert session.arn == "arn:aws:sts::123456789012:assumed-role/r/SageMaker"
    assert session.credentials.secret_key == found["SecretAccessKey"]
    assert found["Expiration"].endswith("Z")


@pytest.mark.parametrize("job", ["training/closed", "training/other", "transform/open", "open", ""])
def test_others_get_none(served: Served, job: str) -> None:
    assert asked(served, job) is None


def test_a_job_that_has_ended_or_been_made_anew_gets_none(served: Served) -> None:
    assert asked(served, "training/open", 999.0) is None
    outcome = Outcome(ending="Completed", exit_code=0)
    served.store.apply_event(InstanceEvent(job="training/open", instance=1, seq=1, at=1001.0, outcome=outcome))
    assert asked(served, "training/open") is None
