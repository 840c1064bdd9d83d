"""Keeps a directory of checkpoints in S3: what is new or changed goes there once it is stable, what was deleted goes.

A file is stable when two looks in a row find it the same. A deletion counts when two looks in a row miss the file, all
uploads of that look have succeeded, and every directory could be read; so a checkpoint that is replaced is never away
from S3 altogether. Only files that this host restored or uploaded are ever deleted: hosts share one prefix.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from sagestone.channels.checkpoints.marks import UPLOADED, UPLOADING, is_mark, is_uploaded, set_mark
from sagestone.channels.tree_scan import Scan, Signature, open_directory, scan
from sagestone.s3.client import S3, S3Failure
from sagestone.s3.uri import LONGEST_KEY_BYTES, S3Uri

_THREADS: Final = 4
_PIECE: Final = 1 << 20
_MOST_NOTES: Final = 20


class CheckpointSync:
    """One host's directory `root` and its prefix in S3, which ends in `/` or is empty.

    What S3 has, or may have, is written to `record` with each look: another agent goes on where one died. `note`
    takes sentences for the job's log. What goes beyond `limit_bytes` is left out and told: files with holes seem larger
    than all of a volume, and S3 has no holes. Used by one thread at a time. `subject` is what notes begin with. Without
    `mirror` nothing is deleted and no file is marked.
    """

    def __init__(
        self,
        s3: S3,
        prefix: S3Uri,
        root: Path,
        record: Path,
        note: Callable[[str], None],
        limit_bytes: int | None = None,
        *,
        subject: str = "checkpoints",
        mirror: bool = True,
    ) -> None:
        self._s3, self._prefix, self._root, self._record, self._note = s3, prefix, root, record, note
        self._limit, self._subject, self._mirror = limit_bytes, subject, mirror
        self._known: dict[str, Signature | None] = {}  # None: S3 may have it, in whatever state
        self._last: dict[str, Signature] = {}
        self._missing: frozenset[str] = frozenset()
        self._told: set[str] = set()
        self.scan_seconds = 0.0  # how long it took to look through the directory the last time

    def begin(self) -> None:
        """Everything below the root has just come from S3."""
        self._known = {name: found for name, found in self._scan().files.items() if is_uploaded(name)}
        self._write_record()

    def take_up(self) -> bool:
        """Go on with what an earlier agent knew; False where none had begun."""
        try:
            self._known = msgspec.json.decode(self._record.read_bytes(), type=dict[str, Signature | None])
        except FileNotFoundError:
            return False
        return True

    def forget(self) -> None:
        """The root is about to be made anew."""
        self._record.unlink(missing_ok=True)

    def look(self, *, last: bool = False) -> None:
        """Bring S3 up to date; `last`: nobody writes any more, so everything is stable.

        What S3 does not take is tried again at the next look, and raised (S3Failure) at the last.
        """
        found = self._scan()
        for name, reason in found.left_out.items():
            self._tell(f"{name} is left out: it {reason}")
        files = self._within_limit({name: seen for name, seen in found.files.items() if is_uploaded(name)})
        changed = [name for name, signature in files.items() if self._known.get(name) != signature]
        stable = [name for name in changed if last or self._last.get(name) == files[name]]
        self._note_attempts(stable)
        failures = self._upload_all({name: files[name] for name in stable}, last=last)
        gone = frozenset(self._known) - found.files.keys() if found.whole and self._mirror else frozenset()
        deleted = [] if failures else sorted(gone if last else gone & self._missing)
        failures += self._delete_all(deleted)
        self._last, self._missing = files, gone
        if not last and self._mirror:
            for base in {_without_mark(name) for name in found.files if is_mark(name)} - files.keys():
                set_mark(self._root, base, None)
        if stable or deleted:
            self._write_record()
        if failures and last:
            raise failures[0]
        for failure in failures:
            self._tell(f"{failure}; it is tried again")

    def _within_limit(self, files: dict[str, Signature]) -> dict[str, Signature]:
        """The files that fit together, by their sizes with holes, in the order of names."""
        if self._limit is None or sum(seen.size for seen in files.values()) <= self._limit:
            return files
        left, fitting = self._limit, {}
        for name in sorted(files):
            if files[name].size <= left:
                fitting[name] = files[name]
                left -= files[name].size
            else:
                self._tell(f"{name!a} is left out: with it they are more than the {self._limit} bytes of the volume")
        return fitting

    def _note_attempts(self, names: list[str]) -> None:
        """Write down what S3 may have soon: an agent that dies in between leaves nothing that none would delete."""
        fresh = [name for name in names if name not in self._known]
        if fresh:
            self._known.update(dict.fromkeys(fresh))
            self._write_record()

    def _scan(self) -> Scan:
        began = time.monotonic()
        found = scan(self._root, LONGEST_KEY_BYTES - len(self._prefix.key.encode()))
        self.scan_seconds = time.monotonic() - began
        return found

    def _upload_all(self, files: dict[str, Signature], *, last: bool) -> list[S3Failure]:
        if not files:
            return []
        with ThreadPoolExecutor(max_workers=min(_THREADS, len(files)), thread_name_prefix="checkpoint") as pool:
            failures = list(pool.map(lambda file: self._try_upload(*file, last=last), files.items()))
        return [failure for failure in failures if failure is not None]

    def _try_upload(self, name: str, seen: Signature, *, last: bool) -> S3Failure | None:
        mark = self._mirror and not last
        if mark:
            set_mark(self._root, name, UPLOADING)
        try:
            done = self._upload(name, seen)
        except S3Failure as failure:
            return failure
        except OSError as error:  # mostly it is gone or was replaced by something else: the next look sees by what
            done, reason = False, str(error)
        else:
            reason = "it changed while it was read"
        if mark:
            set_mark(self._root, name, UPLOADED if done else None)
        if done:
            self._known[name] = seen
        return None if done or not last else S3Failure(f"{self._uri(name)} could not be uploaded: {reason}")

    def _upload(self, name: str, seen: Signature) -> bool:
        """Upload the file that was seen; False, and nothing is visible in S3, when it is no longer that one."""
        with _opened(self._root, name) as file:
            if Signature.of(os.fstat(file)) != seen:
                return False
            upload = self._s3.upload(self._uri(name))
            try:
                left = seen.size  # and no more: a program may add to it as fast as it is read
                while left > 0 and (piece := os.read(file, min(_PIECE, left))):
                    upload.write(piece)
                    left -= len(piece)
                if Signature.of(os.fstat(file)) != seen:
                    return False
                upload.commit()
            finally:
                upload.abort()  # does nothing after the commit
        return True

    def _delete_all(self, names: list[str]) -> list[S3Failure]:
        failures = []
        for name in names:
            try:
                self._s3.delete(self._uri(name))
                del self._known[name]
            except S3Failure as failure:
                failures.append(failure)
        return failures

    def _uri(self, name: str) -> S3Uri:
        return S3Uri(self._prefix.bucket, self._prefix.key + name)

    def _tell(self, what: str) -> None:
        if what not in self._told and len(self._told) < _MOST_NOTES:
            self._told.add(what)
            self._note(f"{self._subject}: {what}")

    def _write_record(self) -> None:
        self._record.parent.mkdir(exist_ok=True)
        fresh = self._record.with_name(self._record.name + ".new")
        fresh.write_bytes(msgspec.json.encode(self._known))
        fresh.replace(self._record)


@contextmanager
def _opened(root: Path, name: str) -> Iterator[int]:
    """A descriptor of the file, reached without following a link; raises OSError."""
    directory_name, _, last = name.rpartition("/")
    directory = open_directory(root, directory_name)
    try:
        # without O_NONBLOCK a pipe put here since the look would hold us for ever
        file = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    finally:
        os.close(directory)
    try:
        yield file
    finally:
        os.close(file)


def _without_mark(name: str) -> str:
    return name.removesuffix(UPLOADING).removesuffix(UPLOADED)
