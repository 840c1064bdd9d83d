"""If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since on requests that read."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from sagestone.s3.storage.documents import StoredObject
from sagestone.s3.storage.refusal import Refusal

NOT_MODIFIED = "NotModified"


def check_read(headers: Mapping[str, str], found: StoredObject) -> bool:
    """Whether the object is to be sent; False: it is not modified (304). Raises Refusal PreconditionFailed.

    If-Match outweighs If-Unmodified-Since, If-None-Match outweighs If-Modified-Since. Dates that cannot be read do not
    count.
    """
    modified = int(found.modified_at)
    match = headers.get("if-match")
    if match is not None:
        if not _matches(match, found.etag):
            raise _failed("If-Match")
    else:
        since = _time(headers.get("if-unmodified-since"))
        if since is not None and modified > since:
            raise _failed("If-Unmodified-Since")
    none_match = headers.get("if-none-match")
    if none_match is not None:
        return not _matches(none_match, found.etag)
    since = _time(headers.get("if-modified-since"))
    return since is None or modified > since


def check_copy(headers: Mapping[str, str], source: StoredObject) -> None:
    """The x-amz-copy-source-if- headers; raises Refusal PreconditionFailed."""
    prefix = "x-amz-copy-source-"
    renamed = {name.removeprefix(prefix): value for name, value in headers.items() if name.startswith(prefix)}
    if not check_read(renamed, source):
        raise _failed(
            "x-amz-copy-source-If-None-Match" if "if-none-match" in renamed else "x-amz-copy-source-If-Modified-Since"
        )


def range_applies(headers: Mapping[str, str], found: StoredObject) -> bool:
    """Whether If-Range lets a range be sent."""
    condition = headers.get("if-range")
    if condition is None:
        return True
    if '"' in condition:
        return condition.strip() == f'"{found.etag}"'
    return _time(condition) == int(found.modified_at)


def _matches(condition: str, etag: str) -> bool:
    wanted = [each.strip().removeprefix("W/").strip('"') for each in condition.split(",")]
    return "*" in wanted or etag in wanted


def _time(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _failed(condition: str) -> Refusal:
    return Refusal(
        "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", Condition=condition
    )
