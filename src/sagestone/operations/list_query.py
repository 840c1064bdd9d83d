"""The filters, the order and the paging that the List operations share."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from sagestone.store.interface import BadToken, ListQuery, Page, Row
from sagestone.wire.errors import ValidationException


def list_page(
    find: Callable[[ListQuery], Page[Row]],
    parameters: Mapping[str, Any],
    *,
    order: Literal["Ascending", "Descending"] = "Ascending",
    page_size: int = 100,
    group: str | None = None,
    grouped: bool | None = None,
    secondary_status: str | None = None,
) -> Page[Row]:
    """One page; `order` and `page_size` hold where the request says nothing. Raises ValidationException.

    The last three are filters that requests name in words of their own.
    """
    query = ListQuery(
        name_contains=parameters.get("NameContains") or None,
        created_after=parameters.get("CreationTimeAfter"),
        created_before=parameters.get("CreationTimeBefore"),
        modified_after=parameters.get("LastModifiedTimeAfter"),
        modified_before=parameters.get("LastModifiedTimeBefore"),
        status=parameters.get("StatusEquals"),
        warm_pool=parameters.get("WarmPoolStatusEquals"),
        secondary_status=secondary_status,
        group=group,
        grouped=grouped,
        sort_by=parameters.get("SortBy") or "CreationTime",
        ascending=(parameters.get("SortOrder") or order) == "Ascending",
        limit=parameters.get("MaxResults") or page_size,
        token=parameters.get("NextToken") or None,
    )
    try:
        return find(query)
    except BadToken:
        raise ValidationException(
            "Invalid pagination token: NextToken must be the one of the previous answer, sent with the same filters "
            "and the same order"
        ) from None


def page_answer(member: str, items: list[dict[str, Any]], token: str | None) -> dict[str, Any]:
    """The answer with its list and, where there is more, its NextToken."""
    return {member: items, "NextToken": token} if token else {member: items}
