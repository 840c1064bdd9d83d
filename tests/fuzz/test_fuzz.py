"""The short form of the fuzzer: a fixed seed, and one of the day."""

import random
from collections.abc import Iterator

import pytest

from tests.fuzz.in_process import attack
from tests.fuzz.names import PARSERS
from tests.fuzz.over_the_wire import KINDS, attack_service
from tests.fuzz.target import Target, running_target

_DRAWN = str(random.SystemRandom().randrange(1_000_000))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with running_target() as started:
        yield started


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_parser_refuses_what_it_cannot_read(name: str) -> None:
    for seed in ("8", _DRAWN):
        found = attack(PARSERS[name], max(20, int(200 * PARSERS[name].weight)), seed)
        assert not found.complaints, f"./run fuzz --seed {seed} {name}\n" + "\n".join(found.complaints)
        assert found.calls > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", ["8", _DRAWN], ids=["fixed", "drawn"])
def test_a_service_answers_whatever_is_sent(target: Target, kind: str, seed: str) -> None:
    found = attack_service(target, kind, 200, seed)
    assert not found.complaints, f"./run fuzz --seed {seed} {kind}\n" + "\n".join(found.complaints)
    assert found.sent == 200
