"""The short form of the fuzzer, always with the same seed: `./run fuzz` draws others."""

from collections.abc import Iterator

import pytest

from tests.fuzz.in_process import attack
from tests.fuzz.names import PARSERS
from tests.fuzz.over_the_wire import KINDS, attack_service
from tests.fuzz.target import Target, running_target

SEED = "8"


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with running_target() as started:
        yield started


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_parser_refuses_what_it_cannot_read(name: str) -> None:
    found = attack(PARSERS[name], max(20, int(400 * PARSERS[name].weight)), SEED)
    assert not found.complaints, f"./run fuzz --seed {SEED} {name}\n" + "\n".join(found.complaints)
    assert found.calls > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_answers_whatever_is_sent(target: Target, kind: str) -> None:
    found = attack_service(target, kind, 200, SEED)
    assert not found.complaints, f"./run fuzz --seed {SEED} {kind}\n" + "\n".join(found.complaints)
    assert found.sent == 200
