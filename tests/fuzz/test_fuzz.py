"""The short form of the fuzzer, always with the same seed: `./run fuzz` draws others."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fuzz.footprint import WARM, Footprint, leaks
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


@pytest.mark.parametrize(
    ("grown", "warmed_by", "complaint"),
    [
        ({"resident_kib": 124_000, "largest_kib": 340_000, "descriptors": 48, "resources": 900}, WARM, None),
        ({"resident_kib": 125_000}, WARM, "memory grew from 100000 to 125000 KiB, by more than 24576"),
        ({"resident_kib": 125_000}, WARM - 1, None),
        ({"largest_kib": 370_000}, WARM, "memory grew to 370000 KiB for a moment, from 100000"),
        ({"descriptors": 49}, 0, "open descriptors grew from 40 to 49"),
        ({"threads": 90}, WARM, "threads grew from 20 to 90"),
    ],
)
def test_what_a_service_holds_is_judged(grown: dict[str, int], warmed_by: int, complaint: str | None) -> None:
    warm = Footprint(
        resident_kib=100_000,
        largest_kib=100_000,
        descriptors=40,
        threads=20,
        resources=1,
        keys=1,
        objects=1,
        disk_kib=1,
    )
    found = list(leaks("s3", warm, replace(warm, **grown), warmed_by=warmed_by))
    assert found == ([] if complaint is None else [f"s3: {complaint}"])
