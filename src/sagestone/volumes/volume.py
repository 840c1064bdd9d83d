"""One encrypted volume: an image file, mounted beside itself, with a directory in it that is encrypted as a whole.

    volume.img    the file system; what is below its `data` is ciphertext, names too
    volume.json   VolumeDocument; written when all else is ready
    mounted/      where it is mounted; `mounted/data` is what is used of it
    lock          held (flock) while something of this is made or taken away, by the processes started for it too

The data key is known to the kernel alone, as long as the volume is mounted anywhere: an agent that dies costs nothing,
and after a restart of the machine the KMS key must be usable to open the volume again. Nothing of it needs a process.
"""

import errno
import fcntl
import logging
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from sagestone.archive.remove import remove_tree
from sagestone.channels.fuse.mount import mounts_below
from sagestone.volumes.document import CannotOpen, DataKeys, VolumeDocument, read_document, write_document
from sagestone.volumes.fscrypt import add_key, drop_unwritten, forget_key, has_key, protect, protected_by, write_out
from sagestone.volumes.image import make_image
from sagestone.volumes.loop import attach, find
from sagestone.volumes.mounting import mount_device, unmount_all, unmount_everywhere
from sagestone.volumes.place import data_of

_LOG = logging.getLogger(__name__)
_FREE_SECONDS = 5.0  # for the kernel to write what is left and let the device go
_QUIET_SECONDS = 0.2  # before it is looked for in other mount namespaces
_LOOK_SECONDS = 0.01


class Volume:
    """The volume of a directory. `namespace` (`containers.mount_namespace`) is where an engine sees it; None: as we."""

    def __init__(self, directory: Path, namespace: str | None = None) -> None:
        self._directory, self._namespace = directory, namespace
        self._image, self._document = directory / "volume.img", directory / "volume.json"
        self.data = data_of(directory)
        self._mounted = self.data.parent

    def open(self, keys: DataKeys, room: int) -> None:
        """Have it mounted, with that many bytes of room where it is to be made; raises CannotOpen.

        One that is under another KMS key than `keys` is taken away and made anew.
        """
        with self._opening() as lock:
            known = read_document(self._document)
            if known is None or not keys.is_under(known.key):
                self._take_away()
                self._make(keys, room)
            else:
                self._mount(known, keys)
            known = read_document(self._document)
            if known is not None and self._namespace is not None:
                if known.namespace != self._namespace:
                    write_document(self._document, replace(known, namespace=self._namespace))
                self._attach(self._namespace, [lock])

    def open_again(self, keys: DataKeys) -> None:
        """Have it mounted as it is; raises CannotOpen also where it is not there."""
        with self._opening() as lock:
            known = read_document(self._document)
            if known is None:
                raise CannotOpen("it is not there any more")
            self._mount(known, keys)
            if self._namespace is not None:
                self._attach(self._namespace, [lock])

    def check_written(self) -> None:
        """Have all that was written reach the disk; raises OSError where some of it could not be written."""
        write_out(self._mounted)

    def close(self, *, keep: bool) -> None:
        """Mounted nowhere any more, and its key forgotten; with `keep` it can be opened again, else it is empty.

        Nothing there is fine. Raises OSError.
        """
        if self._directory.is_dir():
            with self._locked():
                if keep:
                    self._let_go()
                else:
                    self._take_away()

    def _make(self, keys: DataKeys, room: int) -> None:
        name = f"vol-{secrets.token_hex(9)[:17]}"
        arn, sealed, data_key = keys.make(name)
        make_image(self._image, room)
        self._attach()
        identifier = add_key(self._mounted, data_key)
        self.data.mkdir(mode=0o755)
        protect(self.data, identifier)
        document = VolumeDocument(
            id=name, key=arn, sealed=sealed, identifier=identifier.hex(), namespace=self._namespace
        )
        write_document(self._document, document)

    def _mount(self, known: VolumeDocument, keys: DataKeys) -> None:
        self._attach()
        identifier = bytes.fromhex(known.identifier)
        if not has_key(self._mounted, identifier):
            add_key(self._mounted, keys.open(known.id, known.sealed))
        if protected_by(self.data) != identifier or not has_key(self._mounted, identifier):
            raise CannotOpen("what is in it is encrypted under another key than it was made with")

    def _attach(self, namespace: str | None = None, held: Sequence[int] = ()) -> None:
        """Mounted where this process lives, or where the engine does; `held` as `mount_device` has it.

        Also what a process in another mount namespace, now gone, had mounted.
        """
        self._mounted.mkdir(exist_ok=True, mode=0o700)
        image = os.open(self._image, os.O_RDWR | os.O_CLOEXEC)
        try:
            device = attach(image)
        finally:
            os.close(image)
        try:
            mount_device(device, self._mounted, namespace, held)
        finally:
            os.close(device)

    def _take_away(self) -> None:
        if self._is_mounted():
            with suppress(OSError):  # it is given up anyway: nobody is to wait for the disk
                drop_unwritten(self._mounted)
        self._let_go()
        with suppress(FileNotFoundError):
            os.truncate(self._image, 0)  # the disk has its room back, whoever may still hold the file
        for path in (self._document, self._image):
            path.unlink(missing_ok=True)
        remove_tree(self._mounted)

    def _let_go(self) -> None:
        known = read_document(self._document)
        if known is not None and self._is_mounted():
            with suppress(OSError):  # it goes with the last mount anyway
                forget_key(self._mounted, bytes.fromhex(known.identifier))
        unmount_all(self._mounted, [None, self._namespace, known.namespace if known else None])
        self._wait_until_free()

    def _is_mounted(self) -> bool:
        return os.fspath(self._mounted) in mounts_below(self._mounted)

    def _wait_until_free(self) -> None:
        """The kernel lets go of the image a moment after nobody has it mounted any more."""
        try:
            image = os.open(self._image, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            deadline = time.monotonic() + _FREE_SECONDS
            everywhere_at = time.monotonic() + _QUIET_SECONDS
            while (device := find(image)) is not None:
                try:
                    if time.monotonic() > everywhere_at:
                        unmount_everywhere(device)
                        everywhere_at += _QUIET_SECONDS
                finally:
                    os.close(device)
                if time.monotonic() > deadline:
                    _LOG.warning("%s is still in use somewhere; its loop device goes with the last user", self._image)
                    return
                time.sleep(_LOOK_SECONDS)
        finally:
            os.close(image)

    @contextmanager
    def _opening(self) -> Iterator[int]:
        """As `_locked`; what the system refuses is CannotOpen."""
        with self._locked() as lock:
            try:
                yield lock
            except OSError as error:
                raise CannotOpen(f"{_where(error)}{error.strerror or error}") from error

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            os.close(lock)


def _where(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk of this machine: "
    return f"{error.filename}: " if error.filename else ""
