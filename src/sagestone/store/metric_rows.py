"""Values of metrics over time, one row for each second of each metric of a job or of one of its hosts.

The column `job` holds the owner: the job's name, or `JOB/algo-N`. Rows stay when the job is deleted.
"""

import math
from collections.abc import Iterable, Sequence

from sagestone.domain.metric import MetricPoint
from sagestone.domain.metric_statistics import MetricSample
from sagestone.store.database import Connection


def write_points(connection: Connection, owner: str, points: Iterable[MetricPoint]) -> None:
    """Add them to what their seconds have; a value that is no finite number counts nowhere."""
    connection.executemany(
        "INSERT INTO metrics (job, name, second, samples, total, smallest, largest) VALUES (?, ?, ?, 1, ?, ?, ?)"
        " ON CONFLICT (job, name, second) DO UPDATE SET samples = metrics.samples + 1,"
        " total = metrics.total + excluded.total,"
        " smallest = CASE WHEN excluded.smallest < metrics.smallest THEN excluded.smallest ELSE metrics.smallest END,"
        " largest = CASE WHEN excluded.largest > metrics.largest THEN excluded.largest ELSE metrics.largest END",
        [
            (owner, point.name, math.floor(point.at), point.value, point.value, point.value)
            for point in points
            if math.isfinite(point.value)
        ],
    )


def read_samples(connection: Connection, owner: str, name: str, start: float, end: float) -> Sequence[MetricSample]:
    """Those of the seconds from `start` to before `end`, in order."""
    rows = connection.execute(
        "SELECT second, samples, total, smallest, largest FROM metrics"
        " WHERE job = ? AND name = ? AND second >= CAST(? AS DOUBLE PRECISION) AND second < CAST(? AS DOUBLE PRECISION)"
        " ORDER BY second",
        (owner, name, start, end),
    )
    return [
        MetricSample(at=second, samples=samples, total=total, smallest=smallest, largest=largest)
        for second, samples, total, smallest, largest in rows
    ]


def read_names(
    connection: Connection,
    owner: str | None,
    name: str | None,
    since: float | None,
    after: tuple[str, str],
    limit: int,
) -> list[tuple[str, str]]:
    """(owner, metric) of what was measured, the next `limit` after `after`, of one owner, one name, since some time."""
    found = connection.execute(
        "SELECT DISTINCT job, name FROM metrics WHERE (job, name) > (?, ?) AND job = coalesce(?, job)"
        " AND name = coalesce(?, name) AND second >= coalesce(CAST(? AS DOUBLE PRECISION), second)"
        " ORDER BY job, name LIMIT ?",
        (*after, owner, name, since, limit),
    )
    return [(job, metric) for job, metric in found]
