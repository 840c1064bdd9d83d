"""What an instance type has: the size of the containers that run on it."""

from dataclasses import dataclass
from functools import lru_cache

from sagestone.domain.instance_catalogue import TABLE

MIB = 1024 * 1024


class UnknownInstanceType(Exception):
    """An instance type whose size is not in the catalogue; the text says so in the caller's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """The size of one instance; `local_storage_gb` is None for types whose volume is attached over the network."""

    vcpus: int
    memory_bytes: int
    gpus: int
    accelerators: int  # Trainium, Inferentia, Gaudi
    local_storage_gb: int | None


def instance_facts(name: str) -> InstanceFacts:
    """The size of a type such as `ml.m5.large`; raises UnknownInstanceType."""
    facts = _catalogue().get(name)
    if facts is None:
        raise UnknownInstanceType(
            f"the size of {name} is not known here; choose a type of the catalogue, such as ml.m5.large"
        )
    return facts


def instance_names() -> tuple[str, ...]:
    """All types of the catalogue, for docs and completion."""
    return tuple(_catalogue())


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, InstanceFacts]:
    catalogue = {}
    for line in TABLE.split("\n"):
        family, _, entries = line.partition(" ")
        for entry in entries.split():
            size, *numbers = entry.split(":")
            vcpus, memory, gpus, accelerators, storage = [*map(int, numbers), 0, 0, 0][:5]
            catalogue[f"ml.{family}.{size}"] = InstanceFacts(
                vcpus=vcpus,
                memory_bytes=memory * MIB,
                gpus=gpus,
                accelerators=accelerators,
                local_storage_gb=storage or None,
            )
    return catalogue
