"""FastFile mode: the objects of a channel appear as files, and nothing is downloaded before the program starts.

Beside the embedded store a few thousand objects are names of its blobs (`fast_file.links`); more of them, and those of
other stores, are a file system in user space (`fast_file.server`), which is there before they are listed. Either way
the container sees a directory of the instance through a read-only mount.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from sagestone.archive.remove import remove_tree
from sagestone.channels.fast_file.links import link_files
from sagestone.channels.fast_file.listing import FastFileListing
from sagestone.channels.fast_file.server import Places, Started, lock_content
from sagestone.channels.fuse.mount import complaint, mounts_below, unmount
from sagestone.containers.runtime import Mount
from sagestone.domain.channel import Channel
from sagestone.domain.failure import Failure, JobFailure
from sagestone.domain.instance_group import Share
from sagestone.file_lock import is_held
from sagestone.s3.client import S3

MOST_LINKS = 4000  # with more objects their files are served, which takes about as long to begin

_INPUT_DATA = "/opt/ml/input/data"
_WATCH_SECONDS = 0.05
_LOOK_SECONDS = 1.0
_END_SECONDS = 5.0


class _CannotServe(JobFailure):
    """This machine shows no file systems of ours."""


class FastFileChannel:
    """The live part (`channels.live`) of a FastFile channel; `seen` is on the host what the container's mount covers.

    `namespace` (`containers.mount_namespace`) is where containers are made. `program`, with the number of the lock's
    descriptor as its argument, takes the line `order` on standard input, which has all that `serve_channel` needs.
    """

    def __init__(
        self,
        s3: S3,
        channel: Channel,
        share: Share,
        directory: Path,
        seen: Path,
        *,
        order: bytes = b"",
        namespace: str | None = None,
        program: tuple[str, ...] = (sys.executable, "-m", "sagestone.agent.fast_file"),
        most_links: int = MOST_LINKS,
    ) -> None:
        self._s3, self._channel, self._share = s3, channel, share
        self._places, self._seen = Places(directory, channel.name), seen
        self._order, self._namespace, self._program, self._most_links = order, namespace, program, most_links
        self._failure: Failure | None = None
        self._look_at = 0.0

    def start(self, watch: Callable[[], None]) -> int:
        self._seen.mkdir(parents=True, exist_ok=True, mode=0o755)
        if not self._s3.has_files:
            return self._serve(watch)
        listing = FastFileListing(self._s3, self._channel, self._share)
        if complaint() is None and listing.is_longer_than(self._most_links, watch):
            try:
                return self._serve(watch, "all")
            except _CannotServe:  # it takes longer, but it works
                pass
        if link_files(self._s3, self._channel, listing, self._places.files, watch):
            return listing.objects
        return self._serve(watch)

    def resume(self) -> None:
        self._look_at = 0.0
        if not self._places.files.is_dir():
            self._failure = self._taken_away()

    def failure(self) -> Failure | None:
        if self._failure is None and time.monotonic() >= self._look_at and self._places.lock.exists():
            self._look_at = time.monotonic() + _LOOK_SECONDS
            if self._places.failure.exists():
                self._failure = msgspec.json.decode(self._places.failure.read_bytes(), type=Failure)
            elif not is_held(self._places.lock):
                self._failure = self._taken_away()
        return self._failure

    def settled(self) -> bool:
        self._look_at = 0.0
        if self.failure() is not None or not self._places.lock.exists():
            return True
        return self._places.listed.exists()

    def stop(self) -> None:
        take_down(self._places.files, self._places.lock)
        places = self._places
        for path in (places.files, places.lock, places.failure, places.kept, places.listed):
            remove_tree(path)

    def mounts(self) -> tuple[Mount, ...]:
        return (Mount(source=self._places.files, target=f"{_INPUT_DATA}/{self._channel.name}", read_only=True),)

    def _serve(self, watch: Callable[[], None], *options: str) -> int:
        self._places.files.mkdir(parents=True, exist_ok=True, mode=0o755)
        process = self._spawn(options)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin as stdin, process.stdout as stdout:
                stdin.write(self._order + b"\n")
                stdin.flush()
                while not select.select([stdout], [], [], _WATCH_SECONDS)[0]:
                    watch()
                line = stdout.readline()
        except BaseException:
            self.stop()
            raise
        if not line:
            message = f"channel {self._channel.name}: its file server ended with {process.wait()}; see agent.log"
            raise JobFailure("internal", message)
        started = msgspec.json.decode(line, type=Started)
        if started.failure is not None:
            if started.is_machine and options:
                self.stop()
                raise _CannotServe(started.failure.fault, started.failure.message)
            raise JobFailure(started.failure.fault, started.failure.message)
        return started.objects

    def _spawn(self, options: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        """A server that holds the lock from its first moment: whoever takes over can always tell it, and end it."""
        lock = os.open(self._places.lock, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = subprocess.Popen(
                [*self._program, str(lock), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[lock],
                start_new_session=True,
                env={**os.environ, "MALLOC_ARENA_MAX": "4"},  # else each thread hoards what it once used
            )
            os.pwrite(lock, lock_content(process.pid, self._namespace), 0)
        finally:
            os.close(lock)
        return process

    def _taken_away(self) -> Failure:
        message = f"channel {self._channel.name}: its files were taken away while the program ran"
        return Failure(fault="internal", message=message)


def take_down(directory: Path, lock: Path) -> None:
    """End the server that holds the lock and unmount what is mounted at or below the directory; raises OSError."""
    deadline = time.monotonic() + _END_SECONDS
    namespace = None
    while lock.exists():
        pid, _, namespace = lock.read_text().partition(" ")
        if not is_held(lock):
            break
        if pid:
            os.kill(int(pid), signal.SIGKILL)
        if time.monotonic() > deadline:
            raise OSError(f"the file server of {directory} does not end")
        time.sleep(0.01)
    for where in {None, namespace or None}:
        for place in mounts_below(directory, where):
            unmount(place, where)


def take_down_all(directory: Path) -> None:
    """As take_down, for all channels whose Places are in the directory, whoever left them there."""
    for lock in directory.glob("*.lock"):
        take_down(directory, lock)
    if directory.exists():
        for place in mounts_below(directory):
            unmount(place)
