"""What jobs on one machine may use together, and what one job gets of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sagestone.containers.machine import Machine
from sagestone.containers.runtime import RuntimeName
from sagestone.domain.assignment import OUTSIDE_BYTES, Limits
from sagestone.domain.instance import InstanceFacts, UnknownInstanceType
from sagestone.placement.interface import Impossible

Catalogue = Callable[[str], InstanceFacts]

_GIB = 1024**3
_MIB = 1024**2

#: Part of the machine's memory that jobs may have when the settings do not say: the rest is for the service.
_JOBS_SHARE_OF_MEMORY = 0.9
_LEAST_MEMORY = 32 * _MIB
_LEAST_CPUS = 0.05
_GRAIN = 1_000_000  # cpus are shared out in millionths


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What all jobs together may use; a single container never gets more than `cpus_of_machine`."""

    cpus: float
    memory_bytes: int
    gpus: tuple[str, ...] = ()  # UUIDs
    gpus_of: str = "this machine"  # who would have to have them
    cpus_of_machine: float | None = None

    @classmethod
    def of(
        cls, machine: Machine, *, cpus: float = 0.0, memory_gb: float = 0.0, runtime: RuntimeName = "docker"
    ) -> "Capacity":
        """The machine's, or what the settings say instead (0: the machine's). The sandbox has no GPUs to give."""
        return cls(
            cpus=cpus or machine.cpus,
            memory_bytes=int(memory_gb * _GIB) or int(machine.memory_bytes * _JOBS_SHARE_OF_MEMORY),
            gpus=() if runtime == "sandbox" else machine.gpus,
            gpus_of="the sandbox" if runtime == "sandbox" else "this machine",
            cpus_of_machine=machine.cpus,
        )


def instance_limits(
    capacity: Capacity,
    catalogue: Catalogue,
    *,
    instance_types: Sequence[str],
    volume_gb: int,
    shared_memory_bytes: int,
) -> list[Limits]:
    """What each instance of a job gets, in the order of `instance_types`: its type's size, bounded by a fair share.

    What small instances leave of an equal share of the machine is shared by the larger ones; instances of one size get
    the same. Raises Impossible for a type that is not known, for GPUs and accelerators that the machine does not have,
    and when the shares of many instances would be too small to run anything.
    """
    sizes = [_facts(catalogue, instance_type) for instance_type in instance_types]
    gpus = fair_shares([size.gpus for size in sizes], len(capacity.gpus))
    if any(size.gpus and not share for size, share in zip(sizes, gpus, strict=True)):
        raise Impossible(
            f"{_in_words([name for name, size in zip(instance_types, sizes, strict=True) if size.gpus])} needs a GPU "
            f"for each instance, and {capacity.gpus_of} has {len(capacity.gpus) or 'none'}; "
            "choose a type without GPUs, such as ml.m5.large"
        )
    memory = fair_shares([size.memory_bytes for size in sizes], capacity.memory_bytes)
    if min(memory) < _LEAST_MEMORY:
        raise Impossible(
            f"{_in_words(instance_types)} would get {min(memory) // _MIB} MiB of memory each: jobs on this machine "
            f"have {capacity.memory_bytes // _MIB} MiB together and an instance needs {_LEAST_MEMORY // _MIB} MiB; "
            "ask for fewer instances"
        )
    most_cpus = capacity.cpus_of_machine or capacity.cpus
    cpus = fair_shares([int(_GRAIN * min(size.vcpus, most_cpus)) for size in sizes], int(_GRAIN * capacity.cpus))
    return [
        Limits(
            cpus=max(_LEAST_CPUS, cpus_ / _GRAIN),
            memory_bytes=memory_,
            volume_bytes=(volume_gb or size.local_storage_gb or 0) * _GIB or None,
            outside_bytes=max((volume_gb or size.local_storage_gb or 0) * _GIB, OUTSIDE_BYTES),
            shared_memory_bytes=min(shared_memory_bytes, memory_),
            gpus=gpus_,
        )
        for size, cpus_, memory_, gpus_ in zip(sizes, cpus, memory, gpus, strict=True)
    ]


def fair_shares(wanted: Sequence[int], total: int) -> list[int]:
    """What each gets of `total` and nobody more than wanted: the most equal division (max-min fairness), rounded down.

    Equal wants get equal shares, so a rest that cannot be shared equally stays.
    """
    left, open_ = total, len(wanted)
    share = {}
    for want, count in sorted(Counter(wanted).items()):
        share[want] = min(want, left // open_)
        left -= share[want] * count
        open_ -= count
    return [share[want] for want in wanted]


def _facts(catalogue: Catalogue, instance_type: str) -> InstanceFacts:
    try:
        facts = catalogue(instance_type)
    except UnknownInstanceType as error:
        raise Impossible(str(error)) from error
    if facts.accelerators:
        raise Impossible(
            f"{instance_type} has {facts.accelerators} accelerator(s), which no machine here has; "
            "choose a type with CPUs or GPUs only"
        )
    return facts


def _in_words(instance_types: Sequence[str]) -> str:
    return " + ".join(f"{count} × {kind}" for kind, count in Counter(instance_types).items())
