"""One round: kills one after the other while jobs are under way on a machine of its own, then what is left there."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.check_machine import Machine
from tests.crash.flight import Flight, Tally
from tests.crash.killer import agents_that_died, carry_out
from tests.crash.plan import draw_kills
from tests.crash.scenario import draw_scenarios
from tests.crash.shape import Shape
from tests.crash.world import World
from tests.plain_user import PLAIN_USER


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of a round."""

    tally: Tally = field(default_factory=Tally)
    hits: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def __str__(self) -> str:
        hits = ", ".join(f"{count} × {what}" for what, count in sorted(self.hits.items()))
        return (
            f"{sum(self.hits.values())} met something ({hits}): {self.tally.completed} Completed, "
            f"{self.tally.failed} Failed as they may, {len(self.tally.complaints)} complaints, {self.seconds:.0f} s"
        )


def run(shape: Shape, *, seed: int, kills: int, in_flight: int, say: Callable[[str], None]) -> Report:
    """Carry it out; each complaint is said when it comes up."""
    report, began = Report(), time.monotonic()
    said: set[str] = set()
    world = World(Path(tempfile.mkdtemp(prefix="sagestone-crash-")), shape)
    world.prepare()
    machine = Machine(world.homes, owner=PLAIN_USER if shape.plain_user else 0, engine=world.engine is not None)
    scenarios = draw_scenarios(seed, accounts=shape.accounts, volumes=shape.volumes)
    flight = Flight(world, size=in_flight, scenarios=scenarios, tally=report.tally)

    def tell() -> None:
        for complaint in report.tally.complaints:
            if complaint not in said:
                say(f"✗ {complaint}")
                said.add(complaint)

    try:
        for kill in draw_kills(seed, kills, shape.whats):
            flight.top_up()
            hits = [*agents_that_died(world), *carry_out(kill, world)]
            report.hits.update(hit.what for hit in hits)
            flight.note(hits)
            flight.settle()
            tell()
        flight.drain()
    except BaseException:
        say(world.last_words())
        raise
    tell()
    report.tally.complaints += machine.complaints([os.getppid(), *world.processes], blobs=False)
    world.restart()
    report.tally.complaints += machine.complaints([os.getppid(), *world.processes], blobs=True)
    report.tally.complaints += world.engine.left() if world.engine is not None else []
    if any(codes := world.stop()):
        report.tally.complaints.append(f"the services ended with {codes}")
    report.tally.complaints += machine.complaints((os.getppid(),), blobs=True)
    tell()
    if report.tally.complaints:
        say(world.last_words())
    for reason in report.tally.reasons:
        say(f"failed as it may: {reason}")
    report.seconds = time.monotonic() - began
    return report
