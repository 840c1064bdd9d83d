"""Pages of the lists, in the words of the interface."""

from typing import cast

from sagestone.domain.algorithm import AlgorithmStatus
from sagestone.domain.training_job import TrainingJobStatus
from sagestone.store.database import Database
from sagestone.store.interface import AlgorithmRow, JobRow, ListQuery, Page, ResourceRow
from sagestone.store.listing import list_rows
from sagestone.store.rows import Kind


def algorithms(database: Database, token_key: bytes, query: ListQuery) -> Page[AlgorithmRow]:
    """What ListAlgorithms shows; raises BadToken."""
    found, token = list_rows(database, token_key, "algorithm", query)
    shown = [
        AlgorithmRow(
            name=row.name, arn=row.arn, description=row.description, created_at=row.created_at,
            status=cast(AlgorithmStatus, row.status),
        )
        for row in found
    ]  # fmt: skip
    return Page(rows=shown, token=token)


def resources(database: Database, token_key: bytes, kind: Kind, query: ListQuery) -> Page[ResourceRow]:
    """What the lists of other resources show; raises BadToken."""
    found, token = list_rows(database, token_key, kind, query)
    shown = [
        ResourceRow(
            name=row.name, arn=row.arn, created_at=row.created_at, status=row.status,
            secondary_status=row.secondary_status, description=row.description,
        )
        for row in found
    ]  # fmt: skip
    return Page(rows=shown, token=token)


def jobs(database: Database, token_key: bytes, kind: Kind, query: ListQuery) -> Page[JobRow]:
    """What ListTrainingJobs and ListTransformJobs show; raises BadToken."""
    found, token = list_rows(database, token_key, kind, query)
    shown = [
        JobRow(
            name=row.name, arn=row.arn, created_at=row.created_at, modified_at=row.modified_at,
            ended_at=row.ended_at, status=cast(TrainingJobStatus, row.status),
            secondary_status=row.secondary_status, failure_reason=row.failure_reason, warm_pool=row.warm_pool,
        )
        for row in found
    ]  # fmt: skip
    return Page(rows=shown, token=token)
