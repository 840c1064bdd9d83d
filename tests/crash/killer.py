"""Carries out a kill: waits for its moment, chooses the victim, kills it, and starts a server again."""

import os
import signal
import time
from pathlib import Path

from tests.crash.engine import Engine
from tests.crash.facts import Hit
from tests.crash.instances import agents, directory_of, instance_of, instances
from tests.crash.plan import After, AtEffect, AtStage, Kill
from tests.crash.troubles import TROUBLES, cause
from tests.crash.world import World

_LONGEST_WAIT = 4.0
_LOOK_SECONDS = 0.004
_ASKED = 0.4  # of the ends of an engine are such that it was asked for, as an update of its package does


def carry_out(kill: Kill, world: World) -> list[Hit]:
    """What was hit; nothing when there was nobody to kill at that moment."""
    if kill.what == "agent":
        return _kill_agent(kill, world)
    if kill.what == "interrupt":
        return _interrupt(kill, world)
    if kill.what == "database":
        _await(kill, world)
        assert world.database is not None
        world.database.stop(at_once=True)
        time.sleep(kill.down_seconds)
        world.database.start()
        return [Hit(what=kill.what, down_seconds=kill.down_seconds)]
    if kill.what in TROUBLES:
        _await(kill, world)
        cause(kill, world)
        return [Hit(what=kill.what, down_seconds=kill.down_seconds)]
    servers = world.servers(kill.what)
    server = servers[int(kill.draw * len(servers))]
    if isinstance(kill.when, AtEffect):
        world.effects.set(kill.what, kill.when)
        _await_death(kill, world)
        world.effects.forget(kill.what)
        server = next((each for each in servers if world.effects.taken_by(kill.what, each.pid)), server)
    else:
        _await(kill, world)
    if isinstance(server, Engine) and kill.draw < _ASKED:
        server.stop()
    else:
        _kill(server.pid)  # unless it is dead; one that is too idle to come so far is not spared
    time.sleep(kill.down_seconds)
    server.kill()  # it is dead; this reaps it
    server.start()
    return [Hit(what=kill.what, down_seconds=kill.down_seconds)]


def agents_that_died(world: World) -> list[Hit]:
    """Those that have died at an effect since this was asked last: some take their time."""
    hits = []
    while (died := world.effects.died("agent")) is not None:
        directory = directory_of([part.encode() for part in died.command])
        hits += [] if directory is None else [_hit(directory)]
    return hits


def _kill_agent(kill: Kill, world: World) -> list[Hit]:
    if isinstance(kill.when, AtEffect):
        world.effects.set("agent", kill.when)
        hits = _await_death(kill, world)
        world.effects.forget("agent")
        return hits
    wanted = _await(kill, world)
    living = sorted(agents(), key=lambda found: found[1])
    chosen = [found for found in living if found[1] == wanted] or living[int(kill.draw * len(living)) :]
    if not chosen or not _kill(chosen[0][0]):
        return []
    return [_hit(chosen[0][1])]


def _interrupt(kill: Kill, world: World) -> list[Hit]:
    """Take the instances of a spot job away; `draw` chooses among those that run."""
    wanted = _await(kill, world)
    found = {each.directory: each for home in world.homes for each in instances(home)}
    jobs = sorted({(each.job, each.theirs) for each in found.values() if each.job.startswith("training/spot-")})
    if wanted in found and found[wanted].job.startswith("training/spot-"):
        jobs = [(found[wanted].job, found[wanted].theirs)]
    if not jobs:
        return []
    job, theirs = jobs[int(kill.draw * len(jobs))]
    asked = (world.theirs if theirs else world.client).interrupt(job.partition("/")[2])
    return [Hit(what="interrupt", instance=job)] if asked else []


def _hit(directory: Path) -> Hit:
    instance = instance_of(directory)
    return Hit(what="agent", instance=instance.name, stage=instance.stage)


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _await_death(kill: Kill, world: World) -> list[Hit]:
    """Wait until somebody has died at an effect, but not for long."""
    deadline = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < deadline:
        if kill.what == "agent":
            if hits := agents_that_died(world):
                return hits
        elif world.effects.died(kill.what):
            return []
        time.sleep(_LOOK_SECONDS)
    return []


def _await(kill: Kill, world: World) -> Path | None:
    """Wait for the moment; the instance that brought it, if one did."""
    if isinstance(kill.when, After):
        time.sleep(kill.when.seconds)
        return None
    assert isinstance(kill.when, AtStage)
    before = {each.directory: each.stage for home in world.homes for each in instances(home)}
    deadline = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < deadline:
        for each in (each for home in world.homes for each in instances(home)):
            if each.stage == kill.when.stage and before.get(each.directory) != each.stage:
                time.sleep(kill.when.seconds)
                return each.directory
        time.sleep(_LOOK_SECONDS)
    return None
