"""What jobs on one machine may use together, and what one job gets of it."""

from collections.abc import Callable
from dataclasses import dataclass

from sagestone.containers.machine import Machine
from sagestone.domain.assignment import Limits
from sagestone.domain.instance import InstanceFacts, UnknownInstanceType
from sagestone.placement.interface import Impossible

Catalogue = Callable[[str], InstanceFacts]

_GIB = 1024**3
_MIB = 1024**2

#: Part of the machine's memory that jobs may have when the settings do not say: the rest is for the service.
_JOBS_SHARE_OF_MEMORY = 0.9
_LEAST_MEMORY = 32 * _MIB
_LEAST_CPUS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What all jobs together may use; a single container never gets more than `cpus_of_machine`."""

    cpus: float
    memory_bytes: int
    gpus: int = 0
    cpus_of_machine: float | None = None

    @classmethod
    def of(cls, machine: Machine, *, cpus: float = 0.0, memory_gb: float = 0.0) -> "Capacity":
        """The machine's, or what the settings say instead (0: the machine's)."""
        return cls(
            cpus=cpus or machine.cpus,
            memory_bytes=int(memory_gb * _GIB) or int(machine.memory_bytes * _JOBS_SHARE_OF_MEMORY),
            gpus=machine.gpus,
            cpus_of_machine=machine.cpus,
        )


def instance_limits(
    capacity: Capacity,
    catalogue: Catalogue,
    *,
    instance_type: str,
    instance_count: int,
    volume_gb: int,
    shared_memory_bytes: int,
) -> Limits:
    """What each instance of a job gets: its type's size, bounded by an equal share of the machine.

    Raises Impossible for a type that is not known, for GPUs and accelerators that the machine does not have, and when
    the shares of many instances would be too small to run anything.
    """
    try:
        facts = catalogue(instance_type)
    except UnknownInstanceType as error:
        raise Impossible(str(error)) from error
    if facts.accelerators:
        raise Impossible(
            f"{instance_type} has {facts.accelerators} accelerator(s), which no machine here has; "
            "choose a type with CPUs or GPUs only"
        )
    gpus = min(facts.gpus, capacity.gpus // instance_count)
    if facts.gpus and not gpus:
        raise Impossible(
            f"{instance_count} × {instance_type} needs a GPU for each instance, and this machine has "
            f"{capacity.gpus or 'none'}; choose a type without GPUs, such as ml.m5.large"
        )
    memory = min(facts.memory_bytes, capacity.memory_bytes // instance_count)
    if memory < _LEAST_MEMORY:
        raise Impossible(
            f"{instance_count} × {instance_type} would get {memory // _MIB} MiB of memory each: jobs on this machine "
            f"have {capacity.memory_bytes // _MIB} MiB together and an instance needs {_LEAST_MEMORY // _MIB} MiB; "
            "ask for fewer instances"
        )
    cpus = min(float(facts.vcpus), capacity.cpus / instance_count, capacity.cpus_of_machine or capacity.cpus)
    volume = volume_gb or facts.local_storage_gb
    return Limits(
        cpus=max(_LEAST_CPUS, cpus),
        memory_bytes=memory,
        volume_bytes=volume * _GIB if volume else None,
        shared_memory_bytes=min(shared_memory_bytes, memory),
        gpus=gpus,
    )
