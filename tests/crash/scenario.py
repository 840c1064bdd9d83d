"""What is asked of the service: validations and training jobs, each drawn from the seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Mode = Literal["File", "FastFile", "Pipe"]

#: validation: an algorithm with a profile; spot: a job with checkpoints whose instances may be taken away; warm: a job
#: that leaves a warm pool; retried: a job that reads pipes and starts again when that fails.
Kind = Literal["validation", "spot", "warm", "retried"]

RETRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that is asked for; its name begins with its kind."""

    name: str
    kind: Kind = "validation"
    mode: Mode = "File"
    hosts: int = 1
    sealed: bool = False  # what it writes is encrypted with a KMS key
    volume: bool = False  # its instances have encrypted volumes
    containers: int = 1  # of the model
    transforms: int = 1  # instances of the transform job
    theirs: bool = False  # it belongs to the other account
    heavy: bool = False  # its model is uploaded in parts

    def __str__(self) -> str:
        words = [f"{self.name}: {self.mode}", f"{self.hosts} hosts" if self.hosts > 1 else ""]
        words += ["sealed" if self.sealed else "", "encrypted volumes" if self.volume else ""]
        words += ["of the other account" if self.theirs else "", "a model in parts" if self.heavy else ""]
        if self.kind == "validation":
            words.append(f"{self.transforms} transform instances of {self.containers} containers")
        return ", ".join(word for word in words if word)


def draw_scenarios(seed: int, *, accounts: bool, volumes: bool) -> Iterator[Scenario]:
    """Without end; with `accounts` some belong to the other one, with `volumes` some have encrypted ones."""
    dice, of_volumes = random.Random(f"scenarios {seed}"), random.Random(f"volumes {seed}")
    of_sizes = random.Random(f"sizes {seed}")
    number = 0
    while True:
        number += 1
        kinds: tuple[Kind, ...] = ("validation", "spot", "warm", "retried")
        kind = dice.choices(kinds, (6, 3, 2, 1))[0]
        theirs = accounts and dice.random() < 0.2
        validation = kind == "validation"
        modes: tuple[Mode, ...] = ("File", "File", "FastFile", "Pipe")
        yield Scenario(
            name=f"{kind}-{number:05}",
            kind=kind,
            mode="Pipe" if kind == "retried" else dice.choice(modes),
            hosts=1 if kind == "warm" else dice.choice((1, 1, 2)),
            sealed=not theirs and dice.random() < 0.25,
            volume=of_volumes.random() < 0.2 and volumes and not theirs,
            containers=dice.choice((1, 1, 2)) if validation else 1,
            transforms=dice.choice((1, 1, 2)) if validation else 1,
            theirs=theirs,
            heavy=of_sizes.random() < 0.15,
        )
