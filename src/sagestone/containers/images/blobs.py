"""The files inside an image archive, read at random: a directory, a tar, or a gzipped tar (inflated first)."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.reader import DAMAGED, TarReader, open_archive
from sagestone.archive.tree import name_parts
from sagestone.containers.images.room import Room
from sagestone.containers.runtime import RuntimeFailure

_MAX_MEMBERS = 100_000  # an archive has a handful for each layer
_DOCUMENT_BYTES = 16 << 20


class Blobs(Protocol):
    """Files by their path in the archive."""

    def has(self, path: str) -> bool: ...

    def open(self, path: str) -> BinaryIO:
        """Raises RuntimeFailure when there is none."""
        ...


@contextmanager
def open_blobs(archive: Path, scratch: Path, room: Room) -> Iterator[Blobs]:
    """The files of an archive; a gzipped one is inflated into `scratch` meanwhile. Raises RuntimeFailure."""
    if archive.is_dir():
        yield _DirectoryBlobs(archive)
        return
    try:
        with archive.open("rb") as opened:
            gzipped = opened.read(2) == b"\x1f\x8b"
            opened.seek(0)
            if not gzipped:
                yield _TarBlobs(opened)
                return
            with tempfile.TemporaryFile(dir=scratch) as inflated:
                with open_archive(opened) as stream:
                    while piece := stream.read(1 << 20):
                        room.take(len(piece))
                        inflated.write(piece)
                inflated.seek(0)
                yield _TarBlobs(inflated)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise RuntimeFailure(f"image archive {archive} cannot be read: {error.strerror}") from error
    except DAMAGED as error:
        raise RuntimeFailure(f"image archive {archive} is damaged or not complete: {error}") from error
    except UnsafeArchive as error:
        raise RuntimeFailure(f"{archive} is no image archive that can be read: {error}") from error


def read_document(blobs: Blobs, path: str) -> bytes:
    """A small file, whole; raises RuntimeFailure when it is missing or not small."""
    with blobs.open(path) as opened:
        content = opened.read(_DOCUMENT_BYTES + 1)
    if len(content) > _DOCUMENT_BYTES:
        raise RuntimeFailure(f"{path} in the image archive is larger than {_DOCUMENT_BYTES} bytes")
    return content


class _DirectoryBlobs:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def has(self, path: str) -> bool:
        return self._place(path).is_file()

    def open(self, path: str) -> BinaryIO:
        try:
            return self._place(path).open("rb")
        except OSError as error:
            raise RuntimeFailure(f"{path} in the image layout cannot be read: {error.strerror}") from error

    def _place(self, path: str) -> Path:
        try:
            return self._directory.joinpath(*name_parts(path))
        except UnsafeArchive as error:
            raise RuntimeFailure(f"the image layout names a file outside: {error}") from error


class _TarBlobs:
    """Knows where in the tar each file's data begin; opened files share its position, so one is read at a time."""

    def __init__(self, tar: BinaryIO) -> None:
        self._tar = tar
        self._places: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        reader = TarReader(tar, max_members=_MAX_MEMBERS, skip=lambda size: tar.seek(size, os.SEEK_CUR))
        for member in reader.members():
            path = "/".join(name_parts(member.name))
            if member.kind == "file":
                self._places[path] = (tar.tell(), member.size)
            elif member.kind == "symlink":  # old `docker save` writes a layer once and links to it
                joined = os.path.normpath(PurePosixPath(path).parent / member.link)
                self._links[path] = joined
            elif member.kind == "hardlink":
                self._links[path] = "/".join(name_parts(member.link))

    def has(self, path: str) -> bool:
        return self._place(path) is not None

    def open(self, path: str) -> BinaryIO:
        place = self._place(path)
        if place is None:
            raise RuntimeFailure(f"{path} is missing in the image archive")
        return io.BufferedReader(_Part(self._tar, *place), 1 << 20)

    def _place(self, path: str) -> tuple[int, int] | None:
        path = os.path.normpath(path)
        return self._places.get(path) or self._places.get(self._links.get(path, ""))


class _Part(io.RawIOBase):
    """One stretch of a file."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file = file
        self._position = offset
        self._end = offset + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)[: self._end - self._position]  # type: ignore[arg-type]
        self._file.seek(self._position)
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
