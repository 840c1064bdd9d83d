"""Names of containers and networks: fit for every engine, one for each instance."""

import re

from hypothesis import given
from hypothesis import strategies as st

from sagestone.containers.labels import container_name, home_id, instance_labels, job_labels, network_name

_jobs = st.text(st.characters(min_codepoint=33, max_codepoint=382), min_size=1, max_size=120)


@given(job=_jobs, instance=st.integers(1, 99))
def test_names_are_fit_for_engines(job: str, instance: int) -> None:
    home = home_id("/home/someone/.local/share/sagestone")
    for name in (container_name(home, job, instance), network_name(home, job)):
        assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}", name)


@given(jobs=st.lists(_jobs, min_size=2, max_size=2, unique=True))
def test_two_jobs_never_share_a_name(jobs: list[str]) -> None:
    first, second = (container_name("0123456789ab", job, 1) for job in jobs)
    assert first != second


def test_what_belongs_to_an_instance_belongs_to_its_job() -> None:
    assert job_labels("h", "j").items() <= instance_labels("h", "j", 2).items()
    assert instance_labels("h", "j", 2)["sagestone.instance"] == "2"
