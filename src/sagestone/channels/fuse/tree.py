"""The files and directories of a channel in memory, by node number, as a FUSE server shows them."""

from sagestone.channels.fuse.protocol import ROOT, Attributes
from sagestone.s3.client import SourceObject


class Clash(Exception):
    """A path is taken, or a part of it is a file."""


class ObjectTree:
    """Filled once by one thread, then read by many. Nodes are numbered from ROOT on."""

    def __init__(self, made_at: int) -> None:
        self._made_at = made_at
        self._nodes: list[SourceObject | dict[bytes, int]] = [{}]
        self._parents: dict[int, int] = {ROOT: ROOT}  # of directories
        self._listings: dict[int, list[tuple[bytes, int]]] = {}
        self._last: tuple[str, dict[bytes, int]] = ("", self._directory(ROOT))
        self.files = 0
        self.size = 0

    def add(self, path: str, found: SourceObject) -> None:
        """Add a file at that path (`channels.paths`); raises Clash."""
        above, _, name = path.rpartition("/")
        if above != self._last[0]:
            self._last = (above, self._walk(above))
        self._put(self._last[1], name, found)
        self.files += 1
        self.size += found.size

    def child(self, node: int, name: bytes) -> int | None:
        """The node of that name in a directory."""
        directory = self._nodes[node - ROOT]
        return directory.get(name) if isinstance(directory, dict) else None

    def file(self, node: int) -> SourceObject | None:
        """The object of a node; None for a directory."""
        found = self._nodes[node - ROOT]
        return found if isinstance(found, SourceObject) else None

    def listing(self, node: int) -> list[tuple[bytes, int]]:
        """Names and nodes of a directory, `.` and `..` first, in an order that stays."""
        found = self._listings.get(node)
        if found is None:
            parent = self._parents[node]
            found = [(b".", node), (b"..", parent), *self._directory(node).items()]
            self._listings[node] = found
        return found

    def attributes(self, node: int) -> Attributes:
        """What `stat` shows; raises IndexError for a node that is none."""
        found = self._nodes[node - ROOT]
        size = 0 if isinstance(found, dict) else found.size
        return Attributes(node, size, isinstance(found, dict), self._made_at)

    def _walk(self, path: str) -> dict[bytes, int]:
        here = ROOT
        for part in path.split("/") if path else ():
            below = self._directory(here).get(part.encode())
            if below is None:
                below = self._put(self._directory(here), part, {})
                self._parents[below] = here
            here = below
        return self._directory(here)

    def _put(self, directory: dict[bytes, int], name: str, content: SourceObject | dict[bytes, int]) -> int:
        node = len(self._nodes) + ROOT
        if directory.setdefault(name.encode(), node) != node:
            raise Clash
        self._nodes.append(content)
        return node

    def _directory(self, node: int) -> dict[bytes, int]:
        found = self._nodes[node - ROOT]
        if not isinstance(found, dict):
            raise Clash
        return found
