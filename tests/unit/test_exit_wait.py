"""Waiting for a container's end while its engine is started anew."""

from dataclasses import dataclass
from typing import cast

import pytest

from sagestone.agent.exit_wait import wait_for_exit
from sagestone.containers.runtime import Exit, Runtime, RuntimeFailure
from sagestone.domain.failure import JobFailure


@dataclass
class Engine:
    """Away for the first `away` calls; then it tells that end."""

    away: int
    end: Exit
    name: str = "docker"

    def wait(self, container: str) -> Exit:
        self.away -= 1
        if self.away >= 0:
            raise RuntimeFailure("the engine does not answer")
        return self.end


def ended(engine: Engine) -> Exit:
    return wait_for_exit(cast(Runtime, engine), "c", subject="container", named="the container")


@pytest.mark.parametrize(
    ("away", "end"),
    [
        (0, Exit(code=0)),
        (0, Exit(code=137)),
        (1, Exit(code=0)),  # it came to its end while nobody looked
        (1, Exit(code=3)),
        (1, Exit(code=137, out_of_memory=True)),
    ],
)
def test_an_end_of_its_own_is_told(away: int, end: Exit) -> None:
    assert ended(Engine(away=away, end=end)) == end


@pytest.mark.parametrize(
    ("runtime", "why"), [("docker", "started anew"), ("podman", "machine"), ("sandbox", "watches")]
)
@pytest.mark.parametrize("code", [137, 255])
def test_what_was_taken_along_has_not_ended_by_itself_whoever_saw_it(code: int, runtime: str, why: str) -> None:
    with pytest.raises(JobFailure, match=why) as failure:
        ended(Engine(away=0, end=Exit(code=code, taken_along=True), name=runtime))
    assert failure.value.failure.fault == "internal"


def test_nor_has_one_that_was_killed_while_its_engine_was_away() -> None:
    with pytest.raises(JobFailure, match="was killed when the container engine"):
        ended(Engine(away=1, end=Exit(code=137)))
