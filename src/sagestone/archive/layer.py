"""Unpacks an image's layer upon what its lower layers left: modes, owners and times are kept, whiteouts remove."""

import os
import stat

from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.header import Member
from sagestone.archive.reader import Readable, TarReader
from sagestone.archive.tree import Parts, Tree, name_parts

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_MAX_MEMBERS = 5_000_000


def unpack_layer(stream: Readable, tree: Tree, *, keep_owners: bool) -> int:
    """Apply one layer (an uncompressed tar) to `tree`; the bytes of its files.

    Names are resolved as inside a container: links may lead anywhere in the tree and nowhere else. Devices and pipes
    are left out (a container gets its own /dev), set-user-id bits are taken away. Owners are kept when `keep_owners`,
    which only root may ask for. Raises UnsafeArchive.
    """
    return _Layer(TarReader(stream, max_members=_MAX_MEMBERS), tree, keep_owners).run()


class _Layer:
    def __init__(self, reader: TarReader, tree: Tree, keep_owners: bool) -> None:
        self._reader = reader
        self._tree = tree
        self._keep_owners = keep_owners
        self._made: set[Parts] = set()  # by this layer: an opaque mark spares them
        self._directories: dict[Parts, Member] = {}  # attributes are set last: files change times, modes may forbid
        self._bytes = 0

    def run(self) -> int:
        for member in self._reader.members():
            named = name_parts(member.name.lstrip("/"))
            if not named:
                self._directories[()] = member
                continue
            parts = (*self._tree.resolve(named[:-1], member.name), named[-1])
            if parts[-1] == _OPAQUE:
                self._clear(parts[:-1], member.name)
            elif parts[-1].startswith(_WHITEOUT):
                self._remove((*parts[:-1], parts[-1].removeprefix(_WHITEOUT)), member.name)
            else:
                self._make(member, parts)
        for parts in sorted(self._directories, key=len, reverse=True):
            member = self._directories[parts]
            if self._tree.is_directory(parts, member.name):
                self._set(self._tree.directory(parts, member.name), member)
        return self._bytes

    def _remove(self, parts: Parts, name: str) -> None:
        if parts[-1] in ("", ".", ".."):
            raise UnsafeArchive(name, "is a whiteout of no file")
        self._tree.delete(parts, name)

    def _make(self, member: Member, parts: Parts) -> None:
        if member.kind == "directory":
            if not self._tree.is_directory(parts, member.name):
                self._tree.delete(parts, member.name)
            self._tree.directory(parts, member.name)
            self._directories[parts] = member
        elif member.kind == "file":
            self._tree.delete(parts, member.name)
            self._file(member, parts)
        elif member.kind == "symlink":
            self._tree.delete(parts, member.name)
            parent = self._tree.symlink(parts, member.link, member.name)
            if self._keep_owners:
                os.chown(parts[-1], member.uid, member.gid, dir_fd=parent, follow_symlinks=False)
        elif member.kind == "hardlink":
            self._hard_link(member, parts)
        elif member.kind in ("device", "fifo"):
            return
        else:
            raise UnsafeArchive(member.name, f"is of a kind that is not unpacked: {member.kind}")
        self._made.update(parts[:length] for length in range(1, len(parts) + 1))

    def _file(self, member: Member, parts: Parts) -> None:
        self._bytes += member.size
        descriptor = self._tree.create(parts, member.name)
        try:
            for data in self._reader.chunks():
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
            self._set(descriptor, member)
        finally:
            os.close(descriptor)

    def _hard_link(self, member: Member, parts: Parts) -> None:
        named = name_parts(member.link.lstrip("/"))
        if not named:
            raise UnsafeArchive(member.name, "is a hard link to the root")
        source = (*self._tree.resolve(named[:-1], member.name), named[-1])
        if source == parts:
            return
        self._tree.delete(parts, member.name)
        self._tree.hard_link(source, parts, member.name)

    def _clear(self, parts: Parts, name: str) -> None:
        directory = self._tree.directory(parts, name)
        for child in os.listdir(directory):  # noqa: PTH208  a descriptor
            path = (*parts, child)
            if path not in self._made:
                self._tree.delete(path, name)
            elif stat.S_ISDIR(os.stat(child, dir_fd=directory, follow_symlinks=False).st_mode):
                self._clear(path, name)
                directory = self._tree.directory(parts, name)

    def _set(self, descriptor: int, member: Member) -> None:
        mode = member.mode & 0o1777
        if self._keep_owners:
            os.fchown(descriptor, member.uid, member.gid)
        elif member.kind == "directory":
            mode |= 0o700  # a plain user must be able to fill and to remove it
        os.fchmod(descriptor, mode)
        os.utime(descriptor, (member.time, member.time))
