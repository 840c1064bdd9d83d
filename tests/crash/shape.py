"""What a round is run on: the runtime, who the service is, and which parts are apart."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sagestone.volumes.probe import complaint as volume_complaint
from tests.crash.plan import What
from tests.engines import EngineKind, missing_engine_reason
from tests.postgres import missing_postgres_reason

Runtime = Literal["sandbox", "docker", "podman"]
#: plain-user: the services run as a user without any right; other-s3: objects are kept by a service of its own;
#: two-services: two of them share a PostgreSQL database (and so an S3 server).
Feature = Literal["plain-user", "other-s3", "two-services"]

_ALWAYS: tuple[What, ...] = ("service", "agent", "interrupt")
_SHARE = 0.35  # of the rounds in which a further sort of kill or trouble happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One of them, and what is killed there."""

    runtime: Runtime = "sandbox"
    plain_user: bool = False
    other_s3: bool = False
    two_services: bool = False
    whats: tuple[What, ...] = _ALWAYS

    @property
    def small_disks(self) -> bool:
        """Whether each home is a file system of its own, which can be filled."""
        return not {"disk", "s3-disk"}.isdisjoint(self.whats)

    @property
    def accounts(self) -> bool:
        """Whether there is a second account: the embedded store has its buckets."""
        return not self.other_s3

    @property
    def volumes(self) -> bool:
        """Whether instances may have encrypted volumes: only root can mount them."""
        return not self.plain_user and volume_complaint() is None

    def __str__(self) -> str:
        words = [self.runtime, "a plain user" if self.plain_user else ""]
        words += ["two services on PostgreSQL" if self.two_services else "", "its own S3" if self.other_s3 else ""]
        return f"{', '.join(word for word in words if word)}; {','.join(self.whats)}"


def draw_shape(
    seed: int, *, runtime: Runtime, features: Sequence[Feature] | None = None, whats: Sequence[What] | None = None
) -> Shape:
    """The shape of a round; `features` and `whats`, where they are given, instead of drawn ones."""
    dice = random.Random(f"shape {seed}")
    drawn = _draw_features(dice, runtime)
    chosen = drawn if features is None else tuple(features)
    two = "two-services" in chosen
    s3 = two or "other-s3" in chosen or not {"s3", "s3-disk"}.isdisjoint(whats or ())
    return Shape(
        runtime=runtime,
        plain_user="plain-user" in chosen,
        other_s3=s3,
        two_services=two,
        whats=tuple(whats) if whats is not None else _draw_whats(dice, runtime, chosen, other_s3=s3),
    )


def why_impossible(shape: Shape) -> str | None:
    """What this machine lacks for it."""
    if shape.two_services and (reason := missing_postgres_reason()) is not None:
        return reason
    if shape.runtime in get_args(EngineKind):
        return missing_engine_reason(shape.runtime)  # type: ignore[arg-type]
    return None


def _draw_features(dice: random.Random, runtime: Runtime) -> tuple[Feature, ...]:
    plain: tuple[Feature, ...] = () if runtime != "sandbox" else ("plain-user",)
    choices: list[tuple[Feature, ...]] = [(), ("other-s3",), plain]
    if runtime == "sandbox" and missing_postgres_reason() is None:
        choices.append(("two-services",))
    return dice.choice(choices)


def _draw_whats(
    dice: random.Random, runtime: Runtime, features: Sequence[Feature], *, other_s3: bool
) -> tuple[What, ...]:
    troubles: list[What] = ["freeze", "clock"]
    if "two-services" not in features:
        troubles.append("lock")
    if "plain-user" not in features:
        troubles.append("disk")
        troubles += ["s3-disk"] if other_s3 else []
    servers: list[What] = ["s3"] if other_s3 else []
    servers += ["engine"] if runtime != "sandbox" else []
    servers += ["database"] if "two-services" in features else []
    return (*_ALWAYS, *servers, *(trouble for trouble in troubles if dice.random() < _SHARE))
