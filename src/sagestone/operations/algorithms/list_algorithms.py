"""ListAlgorithms."""

from collections.abc import Mapping
from typing import Any

from sagestone.operations.dependencies import Dependencies
from sagestone.operations.list_query import list_page, page_answer
from sagestone.store.interface import AlgorithmRow
from sagestone.wire.call import Call


def list_algorithms(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A page of summaries: by creation time, oldest first, unless the request says otherwise."""
    page = list_page(deps.store.list_algorithms, call.parameters)
    return page_answer("AlgorithmSummaryList", [_summary(row) for row in page.rows], page.token)


def _summary(row: AlgorithmRow) -> dict[str, Any]:
    shown = {
        "AlgorithmName": row.name,
        "AlgorithmArn": row.arn,
        "CreationTime": round(row.created_at, 3),
        "AlgorithmStatus": row.status,
    }
    return shown if row.description is None else shown | {"AlgorithmDescription": row.description}
