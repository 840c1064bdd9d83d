"""Unpacks an archive that nobody vouches for: whatever it says, nothing is made outside its target."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.header import Member
from sagestone.archive.links import stays_inside
from sagestone.archive.reader import TarReader, open_archive
from sagestone.archive.tree import Parts, Tree, name_parts

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackReport:
    """What came out of an archive."""

    files: int
    bytes: int


def unpack(source: Path | BinaryIO, target: Path, max_bytes: int, max_files: int) -> UnpackReport:
    """Unpack a .tar or .tar.gz into the existing directory `target`.

    Files become 644 or 755, directories 755, owned by the caller. Links are made last and only when they stay inside;
    hard links become copies. Raises UnsafeArchive, naming the member and the reason, for anything else: absolute or
    climbing names, devices, pipes, more than `max_bytes` of contents or `max_files` members, damage; and OSError when
    the disk refuses. What was unpacked by then stays: the caller throws the target away.
    """
    tree = Tree(target)
    try:
        with open_archive(source) as stream:
            return _Unpacker(TarReader(stream, max_members=max_files), tree, max_bytes).run()
    finally:
        tree.close()


class _Unpacker:
    def __init__(self, reader: TarReader, tree: Tree, max_bytes: int) -> None:
        self._reader = reader
        self._tree = tree
        self._max_bytes = max_bytes
        self._links: dict[Parts, tuple[str, str]] = {}  # (target, the member's name) of links still to be made
        self._files = 0
        self._bytes = 0

    def run(self) -> UnpackReport:
        for member in self._reader.members():
            parts = name_parts(member.name)
            if member.kind == "directory":
                self._tree.directory(parts, member.name)
            elif not parts:
                raise UnsafeArchive(member.name, "names the root")
            elif member.kind == "file":
                self._file(member, parts)
            elif member.kind == "symlink":
                self._link(member, parts)
            elif member.kind == "hardlink":
                self._copy(member, parts)
            else:
                raise UnsafeArchive(member.name, f"is of a kind that is not unpacked: {member.kind}")
        for parts, (link, name) in self._links.items():
            self._tree.symlink(parts, link, name)
        return UnpackReport(files=self._files, bytes=self._bytes)

    def _file(self, member: Member, parts: Parts) -> None:
        self._count(member, member.size)
        self._links.pop(parts, None)
        descriptor = self._tree.create(parts, member.name)
        try:
            for data in self._reader.chunks():
                _write(descriptor, data)
            os.fchmod(descriptor, 0o755 if member.mode & 0o111 else 0o644)
        finally:
            os.close(descriptor)

    def _link(self, member: Member, parts: Parts) -> None:
        if "\0" in member.link or not stays_inside("/".join(parts), member.link):
            raise UnsafeArchive(member.name, f"is a link that may lead outside: {member.link!r}")
        self._tree.make_room(parts, member.name)
        self._links[parts] = (member.link, member.name)

    def _copy(self, member: Member, parts: Parts) -> None:
        source = name_parts(member.link)
        if source in self._links:  # GNU tar writes so when a link has two names
            link, _ = self._links[source]
            if not stays_inside("/".join(parts), link):
                raise UnsafeArchive(member.name, f"is a link that may lead outside: {link!r}")
            self._tree.make_room(parts, member.name)
            self._links[parts] = (link, member.name)
            return
        if not source or source == parts:
            raise UnsafeArchive(member.name, "is a hard link to nothing else")
        from_descriptor = self._tree.open_file(source, member.name)
        try:
            status = os.fstat(from_descriptor)
            self._count(member, status.st_size)
            self._links.pop(parts, None)
            to_descriptor = self._tree.create(parts, member.name)
            try:
                while data := os.read(from_descriptor, _CHUNK):
                    _write(to_descriptor, data)
                os.fchmod(to_descriptor, status.st_mode & 0o777)
            finally:
                os.close(to_descriptor)
        finally:
            os.close(from_descriptor)

    def _count(self, member: Member, size: int) -> None:
        self._files += 1
        self._bytes += size
        if self._bytes > self._max_bytes:
            raise UnsafeArchive(member.name, f"makes the contents larger than {self._max_bytes} bytes")


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
