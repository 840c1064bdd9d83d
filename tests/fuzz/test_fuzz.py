"""The short form of the fuzzer: a fixed seed, and one of the day."""

import random

import pytest

from tests.fuzz.in_process import attack
from tests.fuzz.names import PARSERS

_DRAWN = random.SystemRandom().randrange(1_000_000)


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_parser_refuses_what_it_cannot_read(name: str) -> None:
    for seed in (8, _DRAWN):
        found = attack(PARSERS[name], max(20, int(300 * PARSERS[name].weight)), str(seed))
        assert not found.complaints, f"./run fuzz --seed {seed} {name}\n" + "\n".join(found.complaints)
        assert found.calls > 0
