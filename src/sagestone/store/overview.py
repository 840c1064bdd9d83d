"""What is said of all that is kept: the images it needs, and how much of what there is."""

import re
from collections.abc import Sequence
from typing import Final

from sagestone.store.database import Connection

_AT_ONCE: Final = 1000
_DIGEST: Final = re.compile(rb"sha256:[0-9a-f]{64}")


def pinned_digests(connection: Connection) -> set[str]:
    """Digests and ids of images that any algorithm, model, model package or unfinished job names."""
    digests: set[bytes] = set()
    last, more = 0, True
    while more:  # some at a time: there may be many, and documents are long
        found = connection.execute(
            "SELECT id, document FROM resources JOIN documents USING (id)"
            " WHERE (kind IN ('algorithm', 'model', 'model-package') OR unfinished = 1) AND id > ?"
            " ORDER BY id LIMIT ?",
            (last, _AT_ONCE),
        ).fetchall()
        digests.update(digest for _, document in found for digest in _DIGEST.findall(bytes(document)))
        last, more = found[-1][0] if found else last, len(found) == _AT_ONCE
    return {digest.decode() for digest in digests}


def counts(connection: Connection) -> Sequence[tuple[str, str, int]]:
    """(kind, status, how many), in order."""
    return connection.execute(
        "SELECT kind, status, count(*) FROM resources GROUP BY kind, status ORDER BY kind, status"
    ).fetchall()  # fmt: skip
