"""Which GPUs of the machine are whose: no two jobs, and no two hosts of one, share any. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from sagestone.placement.interface import Reservation


def free_gpus(gpus: Sequence[str], held: Iterable[Reservation]) -> list[str]:
    """Those that nobody holds, in the machine's order."""
    taken = {uuid for reservation in held for limits in reservation.limits for uuid in limits.gpu_uuids}
    return [uuid for uuid in gpus if uuid not in taken]


def with_own_gpus(wanted: Reservation, free: Sequence[str]) -> Reservation | None:
    """The reservation with GPUs for each of its hosts, the first of the free ones; None where there are too few."""
    if sum(limits.gpus for limits in wanted.limits) > len(free):
        return None
    rest = iter(free)
    limits = [replace(each, gpu_uuids=tuple(islice(rest, each.gpus))) for each in wanted.limits]
    return replace(wanted, limits=limits)


def with_gpus_told(held: Reservation, gpus: Sequence[str]) -> Reservation:
    """One that an earlier version wrote, which did not say which GPUs: the engine gave each host the first ones."""
    limits = [
        replace(each, gpu_uuids=tuple(gpus[: each.gpus])) if each.gpus and not each.gpu_uuids else each
        for each in held.limits
    ]
    return replace(held, limits=limits)
