"""What is killed and when: drawn from a seed, so that a round can be repeated as far as the machine's timing allows."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

#: Whom a kill meets, a spot job that loses its instances, or a trouble that passes (`troubles`).
What = Literal[
    "service", "agent", "engine", "s3", "database", "interrupt", "freeze", "lock", "clock", "disk", "s3-disk"
]
Stage = Literal["Starting", "Downloading", "Training", "Uploading", "ended"]

_LONGEST_PAUSE = 1.2
_LONGEST_DOWN = 1.5
_MOST_EFFECTS = 250
_OFTEN: Mapping[What, int] = {"service": 4, "agent": 4}  # how often each comes beside the others, which have 2
_LONG_SECONDS = 35.0  # longer than a lease, than a writer waits for the database, than a service tries what fails
_LONG_SHARE: Mapping[What, float] = {"freeze": 0.1, "lock": 0.1, "disk": 0.3, "s3-disk": 0.3}


@dataclass(frozen=True, slots=True)
class After:
    """So many seconds after the kill before."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AtStage:
    """As soon as any instance enters that stage, and so many seconds later."""

    stage: Stage
    seconds: float


@dataclass(frozen=True, slots=True)
class AtEffect:
    """Before or after the effect with that number (`effects.c`), counted from now on."""

    number: int
    after: bool


When = After | AtStage | AtEffect


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill. `draw` chooses the victim among several; `down_seconds` pass before it is started again."""

    what: What
    when: When
    draw: float
    down_seconds: float

    def __str__(self) -> str:
        return f"{self.what} {self.when}"


def draw_kills(seed: int, number: int, whats: Sequence[What], *, effects: bool = True) -> Iterator[Kill]:
    """As many kills; without `effects` none at an effect."""
    dice = random.Random(seed)
    for _ in range(number):
        what = dice.choices(whats, [_OFTEN.get(what, 2) for what in whats])[0]
        down_seconds = dice.choice((0.0, dice.uniform(0, _LONGEST_DOWN)))
        if what in _LONG_SHARE and dice.random() < _LONG_SHARE[what]:
            down_seconds = _LONG_SECONDS
        yield Kill(
            what=what,
            when=_when(dice, effects=effects and what in ("service", "agent", "s3")),
            draw=dice.random(),
            down_seconds=down_seconds,
        )


def _when(dice: random.Random, *, effects: bool) -> When:
    kind = dice.choice(("after", "stage", "effect", "effect"))
    if kind == "effect" and effects:
        return AtEffect(int(_MOST_EFFECTS ** dice.random()), dice.random() < 0.5)
    if kind == "after":
        return After(dice.uniform(0, _LONGEST_PAUSE))
    return AtStage(dice.choice(get_args(Stage)), dice.choice((0.0, dice.uniform(0, 0.3))))
