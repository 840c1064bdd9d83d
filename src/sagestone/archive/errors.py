"""What can be wrong with an archive or with a tree that should become one."""


class UnsafeArchive(Exception):
    """An archive is refused: it is damaged, too large, or would reach outside. Names the member and the reason."""

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"{member!r} {reason}" if member else f"the archive {reason}")
        self.member = member
        self.reason = reason


class PackFailed(Exception):
    """A tree cannot be packed: it cannot be read, it changed under the reader, or it is too large."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path!r} {reason}")
        self.path = path
        self.reason = reason
