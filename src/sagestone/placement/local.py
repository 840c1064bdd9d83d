"""Placement on this machine alone: admission by a capacity table, one agent process per instance."""

import heapq
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from sagestone.agent.files import InstanceFiles
from sagestone.agent.parts import Parts
from sagestone.channels.fast_file.channel import take_down_all
from sagestone.containers.labels import HOME, JOB, instance_labels, job_labels, network_name
from sagestone.containers.runtime import Container, NameTaken, RuntimeName
from sagestone.domain.assignment import Assignment, TrainingAssignment
from sagestone.domain.event import InstanceEvent
from sagestone.placement.agents import Agents
from sagestone.placement.capacity import Capacity, Catalogue, instance_limits
from sagestone.placement.interface import Reservation
from sagestone.placement.job_directories import JobDirectories
from sagestone.placement.ledger import Books, Ledger, Reserved
from sagestone.placement.nursery import Nursery
from sagestone.placement.tail import EventTail
from sagestone.volumes.volume import Volume

_LOG = logging.getLogger(__name__)

#: How long an agent that told its outcome may take to end by itself.
_LAST_SECONDS = 10.0


class PlacedRuntime(Protocol):
    """The part of `containers.runtime.Runtime` that placement needs: it makes networks and takes leavings away."""

    @property
    def name(self) -> RuntimeName: ...

    @property
    def mount_namespace(self) -> str | None: ...

    def find(self, labels: Mapping[str, str]) -> list[Container]: ...

    def remove(self, container: str) -> None: ...

    def create_network(self, name: str, labels: Mapping[str, str], *, outward: bool = False) -> None: ...

    def remove_network(self, name: str) -> None: ...

    def find_networks(self, labels: Mapping[str, str]) -> list[str]: ...


class LocalPlacement:
    """`sagestone.placement.interface.Placement` on this machine.

    `home` is the word that stands for this service in labels (`containers.labels.home_id`). What is reserved is kept
    in the jobs' directories, so a restarted service goes on with the same books. `books` are shared by the placements
    of all accounts on this machine; None: there is no other. `account` is told in labels.
    """

    def __init__(
        self,
        *,
        jobs_directory: Path,
        runtime: PlacedRuntime,
        parts: Parts,
        capacity: Capacity,
        catalogue: Catalogue,
        home: str,
        shared_memory_bytes: int = 64 * 1024 * 1024,
        books: Books | None = None,
        account: str = "",
        nursery: Nursery,
    ) -> None:
        self._runtime, self._capacity, self._catalogue = runtime, capacity, catalogue
        self._home, self._account, self._shared_memory_bytes = home, account, shared_memory_bytes
        self._directories = JobDirectories(jobs_directory.absolute())
        self.ledger = Ledger(books or Books(capacity), self._directories.read_reservations())
        self._agents = Agents(parts, nursery, self._tell_change)
        self._tails: dict[Path, EventTail] = {}
        self._end_by: dict[str, float] = {}  # until when the agents of a job that is over may clean up
        self._hint: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def reserve(
        self, job: str, instance_types: Sequence[str], volume_gb: int, pool: str | None = None
    ) -> Reservation | None:
        with self._lock:
            kept = self.ledger.held(pool) if pool is not None else None
            held = self.ledger.held(job)
            if kept is not None and (held is not None or not self.draining):  # held: a crash cut its taking over off
                return self._take_over(kept, job)
            return held or self._admit(job, instance_types, volume_gb)

    def start(self, assignments: Sequence[Assignment]) -> None:
        hosts = [each for each in assignments if isinstance(each, TrainingAssignment)]
        networks = {host.network: host for host in hosts if host.network is not None}
        for name, host in networks.items():
            self._make_network(host.job.key, name, outward=not host.job.isolated)
        for assignment in assignments:
            job, number = assignment.job.key, assignment.host.number
            files = InstanceFiles.of(self._directories.root, job, number)
            if self._agents.is_alive(files) or self._tail(files).has_ended():
                continue
            # Also where an older version wrote one: this version's agent reads this version's documents.
            labels = instance_labels(self._home, job, number, self._account)
            files.write_assignment(replace(assignment, labels=labels))
            self._agents.spawn(files, with_keys=bool(assignment.job.volume_kms_key_id))

    def events(self, job: str, after: Mapping[int, int]) -> Sequence[InstanceEvent]:
        streams = [
            self._tail(files).after(after.get(number, 0)) for number, files in self._directories.instances(job)
        ]  # fmt: skip
        return list(heapq.merge(*streams, key=lambda event: event.at))

    def lost(self, job: str) -> Sequence[int]:
        # First whether it lives, then what it told: an agent tells its outcome before it ends.
        gone = [
            (number, files)
            for number, files in self._directories.instances(job)
            if files.assignment.exists() and not self._agents.is_alive(files)
        ]
        lost = [(number, files) for number, files in gone if not self._tail(files).has_ended()]
        for number, files in lost:
            _LOG.warning("the agent of %s algo-%d is gone; it said: %s", job, number, self._agents.last_words(files))
        return [number for number, _ in lost]

    def stop(self, job: str, *, interrupted: bool = False) -> None:
        for _, files in self._directories.instances(job):
            files.write_stop("Interrupted" if interrupted else "Stopped")

    def is_ending(self, job: str) -> bool:
        agents = [files for _, files in self._directories.instances(job) if self._agents.is_alive(files)]
        if not any(self._tail(files).has_ended() for files in agents):
            return False
        return time.monotonic() < self._end_by.setdefault(job, time.monotonic() + _LAST_SECONDS)

    def release(self, job: str) -> None:
        self._end(job)
        self._close_volumes(job, keep=False)
        self._directories.remove(job)  # last: as long as it is there, `find` names the job
        with self._lock:
            self.ledger.free(job)

    def keep(self, job: str) -> None:
        self._end(job)
        self._close_volumes(job, keep=True)
        self._directories.keep(job)

    def _end(self, job: str) -> None:
        """Whatever of the job still runs ends, and is taken away."""
        last_seconds = max(0.0, self._end_by.pop(job, math.inf) - time.monotonic())
        for _, files in self._directories.instances(job):
            self._agents.end(files, min(_LAST_SECONDS, last_seconds) if self._tail(files).has_ended() else 0.0)
            self._tails.pop(files.directory, None)
        for container in self._runtime.find({HOME: self._home, JOB: job}):
            self._runtime.remove(container.id)
        for _, files in self._directories.instances(job):
            take_down_all(files.fast_file)
        for network in self._runtime.find_networks(job_labels(self._home, job)):
            self._runtime.remove_network(network)

    def _close_volumes(self, job: str, *, keep: bool) -> None:
        """Encrypted ones are mounted nowhere any more; with `keep` what is in them stays, and can be opened again."""
        for directory in self._directories.volumes(job):
            Volume(directory, self._runtime.mount_namespace).close(keep=keep)

    def find(self) -> Sequence[str]:
        labelled = {container.labels.get(JOB, "") for container in self._runtime.find({HOME: self._home})}
        return sorted({*self._directories.keys(), *labelled} - {""})

    def drain(self, draining: bool) -> None:
        """Give no job of any account its instances as long as this is so; what runs goes on, who asks keeps a place."""
        self.ledger.books.drain(draining)

    @property
    def draining(self) -> bool:
        return self.ledger.books.draining

    def reserved(self) -> Reserved:
        """What of this machine is reserved, and who waits."""
        with self._lock:
            return self.ledger.reserved()

    def backlog(self) -> tuple[int, int]:
        """Of what agents have told: events read and not known to be counted, bytes not read yet; from any thread."""
        tails = list(self._tails.values())
        return sum(tail.waiting for tail in tails), sum(tail.unread_bytes() for tail in tails)

    def on_change(self, hint: Callable[[], None]) -> None:
        self._hint = hint

    def _take_over(self, kept: Reservation, job: str) -> Reservation:
        pool, network = kept.job, kept.network and network_name(self._home, job)
        reservation = replace(kept, job=job, network=network)
        self._directories.write_reservation(reservation)
        self._directories.pass_on(pool, job)
        self.ledger.pass_on(pool, reservation)
        return reservation

    def _admit(self, job: str, instance_types: Sequence[str], volume_gb: int) -> Reservation | None:
        limits = instance_limits(
            self._capacity,
            self._catalogue,
            instance_types=instance_types,
            volume_gb=volume_gb,
            shared_memory_bytes=self._shared_memory_bytes,
        )
        wanted = Reservation(
            job=job,
            limits=limits,
            network=network_name(self._home, job) if len(instance_types) > 1 else None,
            runtime=self._runtime.name,
        )
        reservation = self.ledger.admit(wanted)
        if reservation is None:
            return None
        try:
            self._directories.write_reservation(reservation)
        except BaseException:
            self.ledger.free(job)
            raise
        return reservation

    def _make_network(self, job: str, name: str, *, outward: bool) -> None:
        try:
            self._runtime.create_network(name, job_labels(self._home, job), outward=outward)
        except NameTaken:
            _LOG.debug("the network %s of %s is there already", name, job)

    def _tail(self, files: InstanceFiles) -> EventTail:
        return self._tails.setdefault(files.directory, EventTail(files.events))

    def _tell_change(self) -> None:
        if self._hint is not None:
            self._hint()
