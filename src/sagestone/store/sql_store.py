"""The store on an SQL database, whichever it is: what each method reads and changes."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Final, cast

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.event import InstanceEvent
from sagestone.domain.metric import MetricPoint
from sagestone.domain.metric_statistics import MetricSample
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob, instance_id
from sagestone.domain.transition import advance
from sagestone.store import facts, lease_rows, metric_rows, overview, pages, rows, tag_rows
from sagestone.store.changes import Changes
from sagestone.store.database import Connection, Database
from sagestone.store.interface import (
    AlgorithmRow,
    AnyResource,
    Job,
    JobRow,
    ListQuery,
    NotFound,
    Orphan,
    Page,
    Resource,
    ResourceRow,
)
from sagestone.store.neighbours import Neighbours

_JOBS: Final = ("training", "transform")


class SqlStore:
    """`sagestone.store.interface.Store` on an open `database` whose tables are up to date.

    `describe` makes the DescribeAlgorithm answer that is kept beside each algorithm; when `describe_version` is not
    the one that the database was last opened with, all answers are made anew. `neighbours` None: no other service has
    the database open.
    """

    def __init__(
        self,
        database: Database,
        describe: Callable[[Algorithm], bytes],
        describe_version: str = "",
        neighbours: Neighbours | None = None,
    ) -> None:
        self._database, self._neighbours = database, neighbours
        self._write, self._reader = database.write, database.reader
        self._changes = Changes(database=database, describe=describe, neighbours=neighbours)
        self._token_key = facts.read_fact(self._reader(), "token_key") or b""
        facts.describe_anew(database, describe, describe_version)

    # algorithms
    def add_algorithm(self, algorithm: Algorithm, tags: Mapping[str, str]) -> None:
        self._changes.begin_add(algorithm, tags).result()

    def begin_add_algorithm(self, algorithm: Algorithm, tags: Mapping[str, str]) -> "Future[None]":
        return self._changes.begin_add(algorithm, tags)

    def algorithm(self, name: str) -> Algorithm | None:
        return cast("Algorithm | None", rows.read(self._reader(), "algorithm", name))

    def algorithm_document(self, name: str) -> bytes | None:
        row = self._reader().execute(
            "SELECT described FROM resources JOIN documents USING (id) WHERE kind = 'algorithm' AND name = ?", (name,)
        ).fetchone()  # fmt: skip
        return cast(bytes, row[0]) if row else None

    def list_algorithms(self, query: ListQuery) -> Page[AlgorithmRow]:
        return pages.algorithms(self._database, self._token_key, query)

    def change_algorithm(
        self, name: str, change: Callable[[Algorithm], Algorithm], holder: str | None = None
    ) -> Algorithm:
        return cast(Algorithm, self._changes.change("algorithm", name, change, holder))

    def remove_algorithm(self, name: str, holder: str | None = None) -> None:
        self._changes.remove("algorithm", name, holder)

    # resources
    def add_resource(self, resource: AnyResource, tags: Mapping[str, str]) -> None:
        self._changes.begin_add(resource, tags).result()

    def resource(self, kind: type[Resource], name: str) -> Resource | None:
        return cast("Resource | None", rows.read(self._reader(), rows.KINDS[kind], name))

    def list_resources(self, kind: type[AnyResource], query: ListQuery) -> Page[ResourceRow]:
        return pages.resources(self._database, self._token_key, rows.KINDS[kind], query)

    def change_resource(
        self, kind: type[Resource], name: str, change: Callable[[Resource], Resource], holder: str | None = None
    ) -> Resource:
        return cast(Resource, self._changes.change(rows.KINDS[kind], name, change, holder))

    def remove_resource(self, kind: type[AnyResource], name: str, holder: str | None = None) -> bool:
        return self._changes.remove(rows.KINDS[kind], name, holder)

    def unfinished_resources(self) -> Sequence[str]:
        return [f"{kind}/{name}" for kind, name in self._unfinished() if kind not in _JOBS]

    def asked_to_end(self) -> Sequence[str]:
        return [
            f"{kind}/{name}" for kind, name in self._unfinished("unfinished = 1 AND status IN ('Stopping', 'Deleting')")
        ]

    # tags
    def tags(self, arn: str) -> Mapping[str, str] | None:
        return tag_rows.read_tags(self._reader(), arn)

    def add_tags(self, arn: str, tags: Mapping[str, str], limit: int) -> Mapping[str, str]:
        return self._write(lambda connection: tag_rows.write_tags(connection, arn, tags, limit))

    def remove_tags(self, arn: str, keys: Sequence[str]) -> None:
        self._write(lambda connection: tag_rows.delete_tags(connection, arn, keys))

    # jobs
    def add_job(self, job: Job, tags: Mapping[str, str]) -> None:
        self._changes.begin_add(job, tags).result()

    def training_job(self, name: str) -> TrainingJob | None:
        return cast("TrainingJob | None", rows.read(self._reader(), "training", name))

    def transform_job(self, name: str) -> TransformJob | None:
        return cast("TransformJob | None", rows.read(self._reader(), "transform", name))

    def list_training_jobs(self, query: ListQuery) -> Page[JobRow]:
        return pages.jobs(self._database, self._token_key, "training", query)

    def list_transform_jobs(self, query: ListQuery) -> Page[JobRow]:
        return pages.jobs(self._database, self._token_key, "transform", query)

    def warm_pools(self) -> Sequence[str]:
        return [name for _, name in self._unfinished("kind = 'training' AND warm_pool = 'Available'")]

    def unfinished_jobs(self) -> Sequence[str]:
        return [f"{kind}/{name}" for kind, name in self._unfinished() if kind in _JOBS]

    def job_keys(self) -> Sequence[str]:
        found = self._reader().execute(
            "SELECT kind || '/' || name FROM resources WHERE kind IN ('training', 'transform') ORDER BY id"
        )
        return [key for (key,) in found]

    def change_job(self, key: str, change: Callable[[Job], Job], holder: str | None = None) -> Job:
        kind, name = _split(key)
        return cast(Job, self._changes.change(kind, name, change, holder))

    def remove_job(self, key: str, holder: str | None = None) -> None:
        kind, name = _split(key)
        self._changes.remove(kind, name, holder)

    def apply_event(self, event: InstanceEvent, holder: str | None = None) -> Job:
        return self.apply_events([event], holder)

    def apply_events(self, events: Sequence[InstanceEvent], holder: str | None = None) -> Job:
        (key,) = {event.job for event in events}
        kind, name = _split(key)
        counted: list[tuple[str, Sequence[MetricPoint]]] = []

        def advanced(job: Job) -> Job:
            counted.clear()
            for event in events:
                after = advance(job, event)
                if after is not job:
                    counted.append((name, event.metrics))
                    counted.append((_host(job, event.instance), event.host_metrics))
                job = after
            return job

        def count(connection: Connection) -> None:
            for owner, points in counted:
                metric_rows.write_points(connection, owner, points)

        return cast(Job, self._changes.change(kind, name, advanced, holder, count))

    def last_event(self, key: str, instance: int) -> int:
        kind, name = _split(key)
        job = cast("Job | None", rows.read(self._reader(), kind, name))
        if job is None or not 1 <= instance <= len(job.instances):
            return 0
        return job.instances[instance - 1].seq

    # metrics
    def metric_samples(self, owner: str, name: str, start: float, end: float) -> Sequence[MetricSample]:
        return metric_rows.read_samples(self._reader(), owner, name, start, end)

    def metric_names(
        self, owner: str | None, name: str | None, since: float | None, after: tuple[str, str], limit: int
    ) -> Sequence[tuple[str, str]]:
        return metric_rows.read_names(self._reader(), owner, name, since, after, limit)

    def pinned_digests(self) -> set[str]:
        return overview.pinned_digests(self._reader())

    def counts(self) -> Sequence[tuple[str, str, int]]:
        return overview.counts(self._reader())

    # leases
    def take_lease(self, key: str, holder: str, seconds: float) -> bool:
        return self._write(lambda connection: lease_rows.take(connection, key, holder, seconds))

    def release_lease(self, key: str, holder: str) -> None:
        self._write(lambda connection: lease_rows.release(connection, key, holder))

    def void_leases(self) -> None:
        forget = lease_rows.forget_all if self._neighbours is None else self._neighbours.void_leases
        self._write(forget)

    # services that share the store
    def is_shared(self) -> bool:
        return self._neighbours is not None

    def watch(self, hint: Callable[[], None]) -> None:
        if self._neighbours is not None:
            self._neighbours.watch(hint)

    def orphans(self) -> Sequence[Orphan]:
        return [] if self._neighbours is None else self._neighbours.orphans()

    def close(self) -> None:
        if self._neighbours is not None:
            self._neighbours.close()
        self._database.close()

    def _unfinished(self, condition: str = "unfinished = 1") -> list[tuple[str, str]]:
        """Kinds and names of what this service may take up, oldest first."""
        ours, values = ("true", ()) if self._neighbours is None else self._neighbours.ours
        found = self._reader().execute(
            f"SELECT kind, name FROM resources WHERE {condition} AND {ours} ORDER BY id", values
        )  # fmt: skip
        return found.fetchall()


def _host(job: Job, instance: int) -> str:
    """Whose the metrics of a host are, as the dimension Host names it: `JOB/algo-N`, of a transform `JOB/i-…`."""
    if isinstance(job, TrainingJob):
        return f"{job.spec.name}/algo-{instance}"
    return f"{job.spec.name}/{instance_id(job.spec.arn, instance, job.created_at)}"


def _split(key: str) -> tuple[rows.Kind, str]:
    kind, _, name = key.partition("/")
    if kind not in _JOBS or not name:
        raise NotFound(f"{key} is not the key of a job: training/NAME or transform/NAME")
    return cast(rows.Kind, kind), name
