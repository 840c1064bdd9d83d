"""One run: kills one after the other while validations are under way, and now and then a look at the quiet machine."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.check_machine import Machine
from tests.crash.flight import Flight, Tally
from tests.crash.killer import agents_that_died, carry_out
from tests.crash.plan import What, draw_kills
from tests.crash.requests import Kind
from tests.crash.world import World

_KINDS: Sequence[Kind] = ("file", "pair", "pipe", "fast_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a run is to do."""

    seed: int
    kills: int
    whats: tuple[What, ...]
    in_flight: int = 6
    quiet_after: int = 25  # kills, then everything ends and the machine is looked at


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of it."""

    campaign: Campaign
    tally: Tally = field(default_factory=Tally)
    hits: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def run(campaign: Campaign, say: Callable[[str], None]) -> Report:
    """Carry it out, in a directory that is left behind when there is something to complain of."""
    report = Report(campaign=campaign)
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="sagestone-crash-"))
    world = World(
        directory,
        other_s3=not {"s3", "s3-disk"}.isdisjoint(campaign.whats),
        small_disks=not {"disk", "s3-disk"}.isdisjoint(campaign.whats),
        docker="engine" in campaign.whats,
    )
    world.prepare()
    machine = Machine(world.homes)
    flight = Flight(world, size=campaign.in_flight, kinds=_KINDS, tally=report.tally)
    gcc = True
    for number, kill in enumerate(draw_kills(campaign.seed, campaign.kills, campaign.whats, effects=gcc), 1):
        flight.top_up()
        hits = [*agents_that_died(world), *carry_out(kill, world)]
        report.hits.update(hit.what for hit in hits)
        flight.note(hits)
        flight.settle()
        if number % campaign.quiet_after == 0 or number == campaign.kills:
            flight.drain()
            report.tally.complaints += machine.complaints(_running(world), blobs=False)
            world.restart()
            report.tally.complaints += machine.complaints(_running(world), blobs=True)
            report.tally.complaints += world.engine.left() if world.engine is not None else []
            report.seconds = time.monotonic() - began
            say(_progress(report, number))
    codes = world.stop()
    if any(codes):
        report.tally.complaints.append(f"the services ended with {codes}")
    report.tally.complaints += machine.complaints((os.getppid(),), blobs=True)
    report.seconds = time.monotonic() - began
    return report


def _running(world: World) -> list[int]:
    return [os.getppid(), *world.processes]


def _progress(report: Report, number: int) -> str:
    hits = ", ".join(f"{count} × {what}" for what, count in sorted(report.hits.items()))
    tally = report.tally
    return (
        f"{number}/{report.campaign.kills} kills ({hits}): {tally.completed} validations Completed, "
        f"{tally.failed} Failed as they may, {len(tally.complaints)} complaints, {report.seconds:.0f} s"
    )
