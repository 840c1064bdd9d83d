"""The files and directories of a channel in memory, by node number, as a FUSE server shows them."""

import threading
from dataclasses import dataclass, field

from sagestone.channels.fuse.protocol import ROOT, Attributes
from sagestone.s3.client import SourceObject
from sagestone.s3.uri import S3Uri


class Clash(Exception):
    """A path is taken, or a part of it is a file."""


@dataclass(frozen=True, slots=True)
class Promised:
    """A file that is known by its name alone; it is filled when its object has been looked at."""

    uri: S3Uri


@dataclass(slots=True)
class Directory:
    """A directory, by its node and its path (`/` at the end; "" for the root).

    `order` are its names as they are listed, each once. `early` are names that are known but have no place there yet,
    `ahead` those which have one before the listing of the whole channel came to them.
    """

    node: int
    parent: int
    path: str
    names: dict[bytes, int] = field(default_factory=dict)
    order: list[bytes] = field(default_factory=list)
    early: set[bytes] = field(default_factory=set)
    ahead: set[bytes] = field(default_factory=set)
    whole: bool = False


Node = SourceObject | Promised | Directory


class ObjectTree:
    """Grows while many threads read it. Nodes are numbered from ROOT on; nothing ever goes, or changes its place.

    `add` is for one thread, which brings the listing of the channel; the others may be called from any.
    """

    def __init__(self, made_at: int) -> None:
        self._made_at = made_at
        self._root = Directory(ROOT, ROOT, "")
        self._nodes: list[Node] = [self._root]
        self._lock = threading.Lock()
        self.last = self._root  # the directory of the file that was added last
        self.files = 0
        self.size = 0

    def add(self, path: str, found: SourceObject | Promised) -> None:
        """Add a file at that path (`channels.paths`), or take note that it is listed; raises Clash."""
        above, slash, name = path.rpartition("/")
        with self._lock:
            if above + slash != self.last.path:
                self.last = self._walk(above)
            node = self._list(self.last, name.encode(), found)
            if isinstance(found, SourceObject):
                self.files += 1
                self.size += found.size
                if node is not None:
                    self._nodes[node - ROOT] = found

    def add_early(self, directory: int, name: bytes, found: SourceObject | None) -> int:
        """Add a file (None: a directory) that somebody asked for; what has that name already stays. Its node."""
        with self._lock:
            above = self._directory(directory)
            node = above.names.get(name)
            if node is None:
                above.early.add(name)
                node = self._put(above, name, found)
            return node

    def add_ahead(self, directory: int, name: bytes, found: SourceObject | None) -> None:
        """As `add_early`, and the name has its place among the others of its directory from now on."""
        with self._lock:
            above = self._directory(directory)
            if name not in above.names:
                self._put(above, name, found)
            elif name in above.early:
                above.early.remove(name)
            else:
                return
            above.order.append(name)
            above.ahead.add(name)

    def fill(self, node: int, found: SourceObject) -> None:
        """What was promised there is this."""
        with self._lock:
            if isinstance(self._nodes[node - ROOT], Promised):
                self._nodes[node - ROOT] = found

    def node(self, node: int) -> Node:
        """What has that number; raises IndexError for one that nothing has."""
        return self._nodes[node - ROOT]

    def child(self, node: int, name: bytes) -> int | None:
        """The node of that name in a directory."""
        directory = self._nodes[node - ROOT]
        return directory.names.get(name) if isinstance(directory, Directory) else None

    def entries(self, directory: Directory, offset: int, most: int) -> list[tuple[bytes, int]]:
        """Names and nodes from a place on, `.` and `..` first, in an order that stays."""
        order, names = directory.order, directory.names
        dots = [(b".", directory.node), (b"..", directory.parent)][offset:]
        start = max(offset - 2, 0)
        return dots + [(name, names[name]) for name in order[start : start + most]]

    def attributes(self, node: int) -> Attributes | None:
        """What `stat` shows; None of a file that is only promised. Raises IndexError for a node that is none."""
        found = self._nodes[node - ROOT]
        if isinstance(found, Promised):
            return None
        size = found.size if isinstance(found, SourceObject) else 0
        return Attributes(node, size, isinstance(found, Directory), self._made_at)

    def _walk(self, path: str) -> Directory:
        here = self._root
        for part in path.split("/") if path else ():
            name = part.encode()
            node = here.names.get(name)
            if node is None:
                node = self._put(here, name, None)
                here.order.append(name)
            else:
                _is_listed(here, name)
            here = self._directory(node)
        return here

    def _list(self, directory: Directory, name: bytes, found: SourceObject | Promised) -> int | None:
        """The node that is there already, if it may be; None: it is made."""
        node = directory.names.get(name)
        if node is None:
            self._put(directory, name, found)
            directory.order.append(name)
            return None
        there = self._nodes[node - ROOT]
        if isinstance(there, Directory) or not (_is_listed(directory, name) or isinstance(there, Promised)):
            raise Clash
        return node if isinstance(there, Promised) else None

    def _put(self, directory: Directory, name: bytes, found: SourceObject | Promised | None) -> int:
        node = len(self._nodes) + ROOT
        self._nodes.append(found or Directory(node, directory.node, f"{directory.path}{name.decode()}/"))
        directory.names[name] = node
        return node

    def _directory(self, node: int) -> Directory:
        found = self._nodes[node - ROOT]
        if not isinstance(found, Directory):
            raise Clash
        return found


def _is_listed(directory: Directory, name: bytes) -> bool:
    """Take note that the listing has come to a name that was known before; False when it was listed before."""
    if name in directory.ahead:
        directory.ahead.remove(name)
        return True
    if name in directory.early:
        directory.early.remove(name)
        directory.order.append(name)
        return True
    return False
