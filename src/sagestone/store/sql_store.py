"""The store on an SQL database, whichever it is: what each method reads and changes."""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, cast

from sagestone.domain.algorithm import Algorithm, AlgorithmStatus
from sagestone.domain.event import InstanceEvent
from sagestone.domain.metric import MetricPoint
from sagestone.domain.metric_statistics import MetricSample
from sagestone.domain.training_job import TrainingJob, TrainingJobStatus
from sagestone.domain.transform_job import TransformJob, instance_id
from sagestone.domain.transition import advance
from sagestone.store import lease_rows, metric_rows, rows, tag_rows
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
from sagestone.store.listing import list_rows
from sagestone.store.neighbours import Neighbours, Watched

_AT_ONCE: Final = 1000
_DIGEST: Final = re.compile(rb"sha256:[0-9a-f]{64}")
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
        self._database, self._describe, self._neighbours = database, describe, neighbours
        self._write, self._reader = database.write, database.reader
        self._token_key = _fact(self._reader(), "token_key") or b""
        self._describe_anew(describe_version)

    # algorithms
    def add_algorithm(self, algorithm: Algorithm, tags: Mapping[str, str]) -> None:
        self._add(algorithm, tags)

    def begin_add_algorithm(self, algorithm: Algorithm, tags: Mapping[str, str]) -> "Future[None]":
        return self._begin_add(algorithm, tags)

    def algorithm(self, name: str) -> Algorithm | None:
        return cast("Algorithm | None", rows.read(self._reader(), "algorithm", name))

    def algorithm_document(self, name: str) -> bytes | None:
        row = self._reader().execute(
            "SELECT described FROM resources JOIN documents USING (id) WHERE kind = 'algorithm' AND name = ?", (name,)
        ).fetchone()  # fmt: skip
        return cast(bytes, row[0]) if row else None

    def list_algorithms(self, query: ListQuery) -> Page[AlgorithmRow]:
        found, token = list_rows(self._database, self._token_key, "algorithm", query)
        shown = [
            AlgorithmRow(
                name=row.name, arn=row.arn, description=row.description, created_at=row.created_at,
                status=cast(AlgorithmStatus, row.status),
            )
            for row in found
        ]  # fmt: skip
        return Page(rows=shown, token=token)

    def unfinished_algorithms(self) -> Sequence[str]:
        return [name for kind, name in self._unfinished() if kind == "algorithm"]

    def change_algorithm(
        self, name: str, change: Callable[[Algorithm], Algorithm], holder: str | None = None
    ) -> Algorithm:
        return cast(Algorithm, self._change("algorithm", name, change, holder))

    def change_algorithms(self, names: Sequence[str], change: Callable[[Algorithm], Algorithm]) -> None:
        def apply(connection: Connection) -> None:
            for name in sorted(names):  # in one order, whoever asks: nobody waits for whom he keeps waiting
                with suppress(NotFound):
                    rows.change(connection, "algorithm", name, change, self._describe)

        self._write(apply)

    def remove_algorithm(self, name: str, holder: str | None = None) -> None:
        def remove(connection: Connection) -> None:
            lease_rows.check(connection, f"algorithm/{name}", holder)
            rows.remove(connection, "algorithm", name)

        self._write(remove)

    # resources
    def add_resource(self, resource: AnyResource, tags: Mapping[str, str]) -> None:
        self._add(resource, tags)

    def resource(self, kind: type[Resource], name: str) -> Resource | None:
        return cast("Resource | None", rows.read(self._reader(), rows.KINDS[kind], name))

    def list_resources(self, kind: type[AnyResource], query: ListQuery) -> Page[ResourceRow]:
        found, token = list_rows(self._database, self._token_key, rows.KINDS[kind], query)
        shown = [
            ResourceRow(
                name=row.name, arn=row.arn, created_at=row.created_at, status=row.status,
                secondary_status=row.secondary_status, description=row.description,
            )
            for row in found
        ]  # fmt: skip
        return Page(rows=shown, token=token)

    def change_resource(
        self, kind: type[Resource], name: str, change: Callable[[Resource], Resource], holder: str | None = None
    ) -> Resource:
        return cast(Resource, self._change(rows.KINDS[kind], name, change, holder))

    def remove_resource(self, kind: type[AnyResource], name: str, holder: str | None = None) -> bool:
        def remove(connection: Connection) -> bool:
            lease_rows.check(connection, f"{rows.KINDS[kind]}/{name}", holder)
            return rows.remove(connection, rows.KINDS[kind], name)

        return self._write(remove)

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
        self._add(job, tags)

    def training_job(self, name: str) -> TrainingJob | None:
        return cast("TrainingJob | None", rows.read(self._reader(), "training", name))

    def transform_job(self, name: str) -> TransformJob | None:
        return cast("TransformJob | None", rows.read(self._reader(), "transform", name))

    def list_training_jobs(self, query: ListQuery) -> Page[JobRow]:
        return self._list_jobs("training", query)

    def list_transform_jobs(self, query: ListQuery) -> Page[JobRow]:
        return self._list_jobs("transform", query)

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
        return cast(Job, self._change(kind, name, change, holder))

    def remove_job(self, key: str, holder: str | None = None) -> None:
        kind, name = _split(key)

        def remove(connection: Connection) -> None:
            lease_rows.check(connection, key, holder)
            rows.remove(connection, kind, name)

        self._write(remove)

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

        return cast(Job, self._carry_out(kind, name, advanced, holder, count))

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
        digests: set[bytes] = set()
        last, more = 0, True
        while more:  # some at a time: there may be many, and documents are long
            found = (
                self._reader()
                .execute(
                    "SELECT id, document FROM resources JOIN documents USING (id)"
                    " WHERE (kind IN ('algorithm', 'model', 'model-package') OR unfinished = 1) AND id > ?"
                    " ORDER BY id LIMIT ?",
                    (last, _AT_ONCE),
                )
                .fetchall()
            )
            digests.update(digest for _, document in found for digest in _DIGEST.findall(bytes(document)))
            last, more = found[-1][0] if found else last, len(found) == _AT_ONCE
        return {digest.decode() for digest in digests}

    def counts(self) -> Sequence[tuple[str, str, int]]:
        return self._reader().execute(
            "SELECT kind, status, count(*) FROM resources GROUP BY kind, status ORDER BY kind, status"
        ).fetchall()  # fmt: skip

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

    def _add(self, document: rows.Document, tags: Mapping[str, str]) -> None:
        self._begin_add(document, tags).result()

    def _begin_add(self, document: rows.Document, tags: Mapping[str, str]) -> "Future[None]":
        added = self._database.add(rows.insert, rows.new_row(document, tags, self._describe))
        if self._neighbours is not None:
            added.add_done_callback(self._told)
        return added

    def _told(self, added: "Future[None]") -> None:
        if self._neighbours is not None and added.exception() is None:
            self._neighbours.tell()

    def _change(
        self, kind: rows.Kind, name: str, change: Callable[..., rows.Document], holder: str | None
    ) -> rows.Document:
        return self._carry_out(kind, name, change, holder, lambda connection: None)

    def _carry_out(
        self,
        kind: rows.Kind,
        name: str,
        change: Callable[..., rows.Document],
        holder: str | None,
        also: Callable[[Connection], None],
    ) -> rows.Document:
        """One transaction: the change of a holder of the lease, and what else goes with it."""
        watched = Watched(change)
        key = f"{kind}/{name}"

        def apply(connection: Connection) -> rows.Document:
            lease_rows.check(connection, key, holder)
            after = cast(rows.Document, rows.change(connection, kind, name, watched, self._describe))
            also(connection)
            if self._neighbours is not None and watched.placed is not None:
                self._neighbours.keep_place(connection, key, watched.placed)
            return after

        after = self._write(apply)
        if self._neighbours is not None and watched.moved:
            self._neighbours.tell()
        return after

    def _unfinished(self, condition: str = "unfinished = 1") -> list[tuple[str, str]]:
        """Kinds and names of what this service may take up, oldest first."""
        ours, values = ("true", ()) if self._neighbours is None else self._neighbours.ours
        found = self._reader().execute(
            f"SELECT kind, name FROM resources WHERE {condition} AND {ours} ORDER BY id", values
        )  # fmt: skip
        return found.fetchall()

    def _list_jobs(self, kind: rows.Kind, query: ListQuery) -> Page[JobRow]:
        found, token = list_rows(self._database, self._token_key, kind, query)
        shown = [
            JobRow(
                name=row.name, arn=row.arn, created_at=row.created_at, modified_at=row.modified_at,
                ended_at=row.ended_at, status=cast(TrainingJobStatus, row.status),
                secondary_status=row.secondary_status, failure_reason=row.failure_reason, warm_pool=row.warm_pool,
            )
            for row in found
        ]  # fmt: skip
        return Page(rows=shown, token=token)

    def _describe_anew(self, version: str) -> None:
        wanted = version.encode()
        if _fact(self._reader(), "describe_version") == wanted:
            return

        def renew(connection: Connection) -> None:
            rows.redescribe(connection, self._describe)
            connection.execute(
                "INSERT INTO facts (name, value) VALUES ('describe_version', ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (wanted,),
            )

        self._write(renew)


def _fact(connection: Connection, name: str) -> bytes | None:
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


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
