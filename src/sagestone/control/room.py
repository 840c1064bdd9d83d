"""Whether something could not be done for want of room on a disk: then it is nobody's fault, and waits."""

from collections.abc import Iterator

from sagestone.archive.room import is_full
from sagestone.store.interface import StoreFull


def wants_room(error: BaseException) -> bool:
    """Whether that is the cause of an error, or of what caused it."""
    return any(isinstance(each, StoreFull) or is_full(each) for each in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        yield following
        seen.add(id(following))
        following = following.__cause__ or following.__context__
