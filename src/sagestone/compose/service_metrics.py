"""What a service tells of itself as Prometheus metrics: how it is and what it holds.

No label holds anything that a caller wrote, so there are as many series as kinds, statuses, operations and codes.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sagestone.compose.metric_sources import Sources
from sagestone.compose.tenant import directory_of
from sagestone.server.traffic import BOUNDS
from sagestone.version import VERSION

Value = TypeVar("Value")

#: Of the time between two counts of what is kept, a count may take one part in so many.
_SHARE = 50

_DATABASES = {"state": "state.sqlite3", "s3_index": "s3/index.sqlite3"}


class ServiceMetrics(Collector):
    """Everything but the process's own; used by one thread."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._counts = _Sampled(lambda: _counts(sources))
        storage = sources.storage
        self._objects = _Sampled(storage.totals) if storage is not None else None

    def collect(self) -> Iterator[Metric]:
        """The families, one after the other."""
        yield _gauge("sagestone_info", "What runs.", ["version", "runtime"], {(VERSION, self._sources.runtime): 1})
        yield from self._requests()
        yield from self._kept()
        yield from self._machine()
        yield from self._controller()

    def _requests(self) -> Iterator[Metric]:
        text = "Requests answered, by operation and error code (OK: none)."
        answers = CounterMetricFamily("sagestone_requests", text, labels=["service", "operation", "code"])
        for outcome, count in self._sources.traffic.answers():
            answers.add_metric(outcome, count)
        yield answers
        text = "From the head of a request until its answer was made, or sent where it is large."
        times = HistogramMetricFamily("sagestone_request_seconds", text, labels=["service", "operation"])
        bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
        for name, each in self._sources.traffic.times():
            times.add_metric(name, list(zip(bounds, accumulate(each.slots), strict=True)), each.seconds)
        yield times

    def _kept(self) -> Iterator[Metric]:
        counts = self._counts.value()
        text = "Algorithms, jobs and other resources that are kept, by kind and status."
        yield _gauge("sagestone_resources", text, ["kind", "status"], counts)
        homes = [directory_of(self._sources.home, tenant.account) for tenant in self._sources.tenants()]
        sizes: dict[tuple[str, ...], float] = {
            (part,): float(sum(_size(home / path) for home in homes)) for part, path in _DATABASES.items()
        }
        yield _gauge("sagestone_database_bytes", "Size of a database and its log.", ["database"], sizes)
        if self._objects is not None:
            totals = self._objects.value()
            yield _number("sagestone_s3_objects", "Objects in the embedded S3.", totals.objects)
            yield _number("sagestone_s3_bytes", "Bytes of these objects.", totals.bytes)
            text = "Bytes of parts of multipart uploads that were not completed."
            yield _number("sagestone_s3_unfinished_bytes", text, totals.unfinished_bytes)
        disk = shutil.disk_usage(self._sources.home)
        yield _number("sagestone_disk_bytes", "Size of the disk that holds the home.", disk.total)
        yield _number("sagestone_disk_free_bytes", "What is free of it.", disk.free)

    def _machine(self) -> Iterator[Metric]:
        reserved = self._sources.books.reserved()
        whole = reserved.capacity
        of_all = _by_what(whole.cpus, whole.memory_bytes, len(whole.gpus))
        held = _by_what(reserved.cpus, reserved.memory_bytes, reserved.gpus)
        yield _gauge("sagestone_capacity", "What jobs may use together.", ["what"], of_all)
        yield _gauge("sagestone_capacity_reserved", "What jobs and warm pools have of it.", ["what"], held)
        free = {what: of_all[what] - held[what] for what in of_all}
        yield _gauge("sagestone_capacity_free", "What is left of it.", ["what"], free)
        draining = self._sources.books.draining
        yield _number("sagestone_draining", "1: no job gets instances, an operator empties the machine.", draining)
        yield _number("sagestone_jobs_placed", "Jobs and warm pools with instances.", reserved.holding)
        yield _number("sagestone_jobs_waiting", "Jobs that wait for capacity.", reserved.waiting)
        events, unread = map(sum, zip(*(each.placement.backlog() for each in self._sources.tenants()), strict=True))
        yield _number("sagestone_events_waiting", "Events of agents read and not counted yet.", events)
        yield _number("sagestone_events_unread_bytes", "What agents told since the last look.", unread)

    def _controller(self) -> Iterator[Metric]:
        breaths = [tenant.controller.breath() for tenant in self._sources.tenants()]
        alive = all(breath.alive for breath in breaths)
        yield _number("sagestone_controller_alive", "1: the threads of all accounts' controllers run.", alive)
        text = "How long the controller has been at its present round; 0: it rests."
        busy = max(breath.busy_seconds for breath in breaths)
        yield _number("sagestone_controller_busy_seconds", text, busy)
        rounds = CounterMetricFamily("sagestone_controller_rounds", "Rounds of the controller.")
        rounds.add_metric((), sum(breath.rounds for breath in breaths))
        yield rounds
        text = "Jobs and validations that met an unexpected error and are tried again."
        yield _number("sagestone_controller_failing", text, sum(breath.failing for breath in breaths))


class _Sampled(Generic[Value]):
    """A number that costs the more the more is kept: counted again only after many times as long as it took."""

    def __init__(self, count: Callable[[], Value]) -> None:
        self._count = count
        self._known: tuple[float, Value] | None = None

    def value(self) -> Value:
        began = time.monotonic()
        if self._known is None or began >= self._known[0]:
            value = self._count()
            took = time.monotonic() - began
            self._known = (began + _SHARE * took, value)
        return self._known[1]


def exposition(sources: Sources) -> Callable[[], bytes]:
    """What gives Prometheus' text about a service; to be called by one thread at a time."""
    registry = CollectorRegistry()
    registry.register(ServiceMetrics(sources))
    ProcessCollector(registry=registry)
    return lambda: generate_latest(registry)


def _counts(sources: Sources) -> dict[tuple[str, ...], float]:
    """What all accounts keep, by kind and status."""
    found: Counter[tuple[str, ...]] = Counter()
    for tenant in sources.tenants():
        for kind, status, count in tenant.store.counts():
            found[kind, status or "-"] += count
    return dict(found)


def _by_what(cpus: float, memory_bytes: int, gpus: int) -> dict[tuple[str, ...], float]:
    return {("cpus",): cpus, ("memory_bytes",): memory_bytes, ("gpus",): gpus}


def _number(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _gauge(name: str, text: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def _size(database: Path) -> int:
    """Of a database file with its write-ahead log; 0 where there is none."""
    total = 0
    for path in (database, database.with_name(f"{database.name}-wal")):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
