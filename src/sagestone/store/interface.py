"""The state store, in the words of the domain.

Promises, shown by the contract tests on every implementation:

1. A method that changes something returns only when the change is durable (a crash right after keeps it).
2. `add_algorithm`, `add_job` and `add_resource` refuse a taken name atomically, whoever asks at the same time.
3. `apply_event` counts each (job, instance, seq) once, changes the job by `domain.transition` and nothing else, in one
   transaction; a repeated or older event changes nothing and is not an error.
4. A lease is given to one holder at a time (keys: a job's, or "algorithm/NAME"); a change that names a `holder` raises
   LeaseLost and changes nothing unless that holder has the lease.
5. Lists are stable: with a token a page goes on after the last row shown, whatever was added or deleted meanwhile;
   each page costs the same however many rows there are. So a filter that few rows pass may give a short or empty page
   with a token: only a page without one is the last.
6. Reads never wait for writers. A database that is away is told by StoreUnavailable; what comes later works again.
7. A member of a group is added only while the group is there, and a group with members is not removed: one of two who
   try both at the same time is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from sagestone.domain.algorithm import Algorithm, AlgorithmStatus
from sagestone.domain.event import InstanceEvent
from sagestone.domain.metric_statistics import MetricSample
from sagestone.domain.model import Model
from sagestone.domain.model_package import ModelPackage, ModelPackageGroup
from sagestone.domain.training_job import TrainingJob, TrainingJobStatus
from sagestone.domain.transform_job import TransformJob, TransformJobStatus


class NameTaken(Exception):
    """A resource of that kind and name exists already."""


class NotFound(Exception):
    """There is no resource of that kind and name."""


class NotEmpty(Exception):
    """The group has members."""


class LeaseLost(Exception):
    """Another holder has the lease by now; nothing was written."""


class StoreUnavailable(Exception):
    """The database cannot be reached, or takes no changes; it may be tried again. The text says what is known."""


class StoreFull(Exception):
    """There is no room for a change; nothing was written. The text says where room is wanted."""


class BadToken(Exception):
    """The NextToken was not made by this store for this query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """An unfinished job whose service is gone: its key, the machine it ran on, when that was last heard of."""

    key: str
    host: str
    heard_at: float


Row = TypeVar("Row")
SortBy = Literal["Name", "CreationTime", "Status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """The filters that the List operations share; times are epoch seconds, bounds exclusive (After, Before)."""

    name_contains: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    status: str | None = None
    secondary_status: str | None = None  # of a model package: its approval
    group: str | None = None  # only the members of this group
    grouped: bool | None = None  # only members of groups, or only those of none
    warm_pool: str | None = None  # of a training job: the status of its pool
    sort_by: SortBy = "CreationTime"
    ascending: bool = True
    limit: int = 100
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmRow:
    """What ListAlgorithms shows of an algorithm."""

    name: str
    arn: str
    description: str | None
    created_at: float
    status: AlgorithmStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """What ListTrainingJobs and ListTransformJobs show of a job."""

    name: str
    arn: str
    created_at: float
    modified_at: float
    ended_at: float | None
    status: TrainingJobStatus | TransformJobStatus
    secondary_status: str | None = None
    failure_reason: str | None = None
    warm_pool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """One page of a list and the opaque token of the next, if any."""

    rows: Sequence[Row]
    token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRow:
    """What the lists of resources show: `status` is "" for a kind that has none; `secondary_status` is the approval."""

    name: str
    arn: str
    created_at: float
    status: str
    secondary_status: str | None = None
    description: str | None = None


Job = TrainingJob | TransformJob
#: Documents that the store keeps by name and that are no jobs. (Algorithms have methods of their own besides.)
AnyResource = Algorithm | Model | ModelPackage | ModelPackageGroup
Resource = TypeVar("Resource", bound=AnyResource)


class Store(Protocol):
    """See the promises above. All calls may be made from any thread."""

    # algorithms
    def add_algorithm(self, algorithm: Algorithm, tags: Mapping[str, str]) -> None:
        """Raises NameTaken."""
        ...

    def begin_add_algorithm(self, algorithm: Algorithm, tags: Mapping[str, str]) -> "Future[None]":
        """`add_algorithm` for who cannot wait: the future is done when it is durable, or has what was raised. Its
        callbacks are called on a thread of the store and must return at once. (A store that others share waits.)"""
        ...

    def algorithm(self, name: str) -> Algorithm | None: ...

    def algorithm_document(self, name: str) -> bytes | None:
        """The stored DescribeAlgorithm answer, ready to send."""
        ...

    def list_algorithms(self, query: ListQuery) -> Page[AlgorithmRow]: ...

    def change_algorithm(
        self, name: str, change: Callable[[Algorithm], Algorithm], holder: str | None = None
    ) -> Algorithm:
        """Apply a pure change in one transaction (called once); raises NotFound. What it raises passes through."""
        ...

    def remove_algorithm(self, name: str, holder: str | None = None) -> None:
        """Take the row and its tags away; idempotent."""
        ...

    # resources of a kind, which is named by the type of its document
    def add_resource(self, resource: AnyResource, tags: Mapping[str, str]) -> None:
        """Raises NameTaken, or NotFound where the group of a model package is not there."""
        ...

    def resource(self, kind: type[Resource], name: str) -> Resource | None: ...

    def list_resources(self, kind: type[AnyResource], query: ListQuery) -> Page[ResourceRow]: ...

    def change_resource(
        self, kind: type[Resource], name: str, change: Callable[[Resource], Resource], holder: str | None = None
    ) -> Resource:
        """Apply a pure change in one transaction; raises NotFound. What it raises passes through."""
        ...

    def remove_resource(self, kind: type[AnyResource], name: str, holder: str | None = None) -> bool:
        """Take the row and its tags away; whether there was one. Raises NotEmpty for a group with members."""
        ...

    def unfinished_resources(self) -> Sequence[str]:
        """Keys ("algorithm/NAME", "model-package/NAME") of those in Pending, InProgress or Deleting, oldest first."""
        ...

    def asked_to_end(self) -> Sequence[str]:
        """Keys of all that is in Stopping or Deleting, oldest first."""
        ...

    # tags, by ARN of an existing resource
    def tags(self, arn: str) -> Mapping[str, str] | None:
        """None: no such resource. The order is that of adding."""
        ...

    def add_tags(self, arn: str, tags: Mapping[str, str], limit: int) -> Mapping[str, str]:
        """The full set afterwards; raises NotFound, or ValueError when there would be more than `limit`."""
        ...

    def remove_tags(self, arn: str, keys: Sequence[str]) -> None:
        """Raises NotFound; keys that are not there are no error."""
        ...

    # jobs
    def add_job(self, job: Job, tags: Mapping[str, str]) -> None:
        """Raises NameTaken."""
        ...

    def training_job(self, name: str) -> TrainingJob | None: ...

    def transform_job(self, name: str) -> TransformJob | None: ...

    def list_training_jobs(self, query: ListQuery) -> Page[JobRow]: ...

    def list_transform_jobs(self, query: ListQuery) -> Page[JobRow]: ...

    def warm_pools(self) -> Sequence[str]:
        """Names of the training jobs whose warm pool is Available, oldest first."""
        ...

    def unfinished_jobs(self) -> Sequence[str]:
        """Keys ("training/NAME", "transform/NAME") of jobs in no terminal status, or with an Available pool, oldest
        first."""
        ...

    def job_keys(self) -> Sequence[str]:
        """Keys of all jobs, for the sweep."""
        ...

    def change_job(self, key: str, change: Callable[[Job], Job], holder: str | None = None) -> Job:
        """Apply a pure change in one transaction; raises NotFound. What it raises passes through."""
        ...

    def remove_job(self, key: str, holder: str | None = None) -> None:
        """Take the row and its tags away; idempotent."""
        ...

    def apply_event(self, event: InstanceEvent, holder: str | None = None) -> Job:
        """Promise 3; raises NotFound for an unknown job."""
        ...

    def apply_events(self, events: Sequence[InstanceEvent], holder: str | None = None) -> Job:
        """Several events of one job, in order, in one transaction; at least one."""
        ...

    def last_event(self, key: str, instance: int) -> int:
        """The highest seq applied for that instance; 0 when none was."""
        ...

    # metrics of training jobs over time, kept as `apply_events` counts them; they stay when their job is removed. The
    # owner of a metric is a job's name, or JOB/algo-N for one of that host.
    def metric_samples(self, owner: str, name: str, start: float, end: float) -> Sequence[MetricSample]:
        """By the second, of the seconds from `start` to before `end`."""
        ...

    def metric_names(
        self, owner: str | None, name: str | None, since: float | None, after: tuple[str, str], limit: int
    ) -> Sequence[tuple[str, str]]:
        """(owner, metric), in order, the next `limit` after `after`; those of one owner, one name, measured since."""
        ...

    def pinned_digests(self) -> set[str]:
        """Digests and ids (sha256:…) of images that any algorithm, model, model package or unfinished job names."""
        ...

    def counts(self) -> Sequence[tuple[str, str, int]]:
        """(kind, status, how many) of all that is kept: "training", "algorithm" …; what has no status has ""."""
        ...

    # leases
    def take_lease(self, key: str, holder: str, seconds: float) -> bool:
        """Whether `holder` has the lease on `key` now (its own is renewed, an expired one is taken). Time is the
        database's, so that services whose clocks differ agree on it."""
        ...

    def release_lease(self, key: str, holder: str) -> None: ...

    def void_leases(self) -> None:
        """Forget the leases that earlier processes of this home left: all, where no other service shares the store.
        Only for a process that knows that it is its home's only one."""
        ...

    # services that share the store. Where there are several, what is unfinished is told to each only as far as it may
    # take it up: what no other has a lease on, and no jobs that have their instances elsewhere.
    def is_shared(self) -> bool:
        """Whether other services may have the same store open."""
        ...

    def watch(self, hint: Callable[[], None]) -> None:
        """Call `hint`, from any thread, soon after another service changed something."""
        ...

    def orphans(self) -> Sequence[Orphan]:
        """Unfinished jobs that have their instances with a service that is gone."""
        ...

    def close(self) -> None: ...
