"""Waiting for a container's end while its engine is started anew."""

from dataclasses import dataclass
from typing import cast

import pytest

from sagestone.agent.exit_wait import wait_for_exit
from sagestone.containers.runtime import Exit, Runtime, RuntimeFailure
from sagestone.domain.failure import JobFailure


@dataclass
class Engine:
    """Away for the first `away` calls; then it tells that end, and whether it brought it about itself."""

    away: int
    end: Exit
    stopped: bool
    name: str = "docker"

    def wait(self, container: str) -> Exit:
        self.away -= 1
        if self.away >= 0:
            raise RuntimeFailure("the engine does not answer")
        return self.end

    def stopped_by_engine(self, container: str) -> bool:
        return self.stopped


def ended(engine: Engine) -> Exit:
    return wait_for_exit(cast(Runtime, engine), "c", subject="container", named="the container")


@pytest.mark.parametrize(
    ("away", "end", "stopped"),
    [
        (0, Exit(code=0), False),
        (0, Exit(code=3), True),  # an engine that was never away stopped it for us
        (0, Exit(code=137), False),
        (1, Exit(code=0), False),  # it came to its end while nobody looked
        (1, Exit(code=3), False),
        (1, Exit(code=137, out_of_memory=True), False),
    ],
)
def test_an_end_of_its_own_is_told(away: int, end: Exit, stopped: bool) -> None:
    assert ended(Engine(away=away, end=end, stopped=stopped)) == end


@pytest.mark.parametrize("code", [0, 3, 143])
def test_a_program_that_the_returning_engine_asked_to_end_has_not_ended_by_itself(code: int) -> None:
    with pytest.raises(JobFailure) as failure:
        ended(Engine(away=1, end=Exit(code=code), stopped=True))
    assert failure.value.failure.fault == "internal"
    assert "was started anew" in failure.value.failure.message


def test_nor_has_one_that_it_killed() -> None:
    with pytest.raises(JobFailure, match="was killed when the container engine"):
        ended(Engine(away=1, end=Exit(code=137), stopped=False))
