"""How many files the service may have open at once: every connection is one."""

import resource
from dataclasses import dataclass
from typing import Final

#: Enough for some thousand connections; what is allowed at first is often 1,024.
_WANTED: Final = 8192
#: For databases, objects and agents, and for connections that were accepted and not looked at yet.
_FOR_OTHERS: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFiles:
    """`before`: how many this process was allowed at its start; `for_connections`: how many it may have open, all
    counted, when a new connection still comes beside the others."""

    before: int
    for_connections: int


def more_open_files() -> OpenFiles:
    """Raise the limit of this process as far as it may; what it starts inherits it."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = before
    if before != resource.RLIM_INFINITY and before < _WANTED:
        soft = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    most = _WANTED if soft == resource.RLIM_INFINITY else min(soft, _WANTED)
    return OpenFiles(before=before, for_connections=max(most - _FOR_OTHERS, most // 2))
