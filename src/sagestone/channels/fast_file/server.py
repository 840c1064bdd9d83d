"""FastFile on a remote store: a process that shows a channel's objects as files until they are no longer mounted.

It outlives the agent that starts it, so that an agent that dies costs the program nothing. What it says: one line of
JSON on standard output when the files can be read, or why they never will be (Started); afterwards the first object
that could not be read, in the file of `Places.failure`.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sagestone.channels.fast_file.listing import FastFileListing
from sagestone.channels.fuse.mount import CannotMount, hasten, mount_fuse, unmount
from sagestone.channels.fuse.server import FuseServer
from sagestone.channels.fuse.tree import Clash, ObjectTree
from sagestone.channels.paths import clash
from sagestone.domain.channel import Channel
from sagestone.domain.failure import Failure, JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, S3Failure, fault_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """How the start went: the channel's objects, or the failure of the job."""

    objects: int = 0
    failure: Failure | None = None


class Places:
    """Where the files of one channel are, and what belongs to them, in a directory of the instance."""

    def __init__(self, directory: Path, channel: str) -> None:
        self.files = directory / "files" / channel
        self.lock = directory / f"{channel}.lock"  # held (flock) by the server; says its process id and its namespace
        self.failure = directory / f"{channel}.failure"


def lock_content(pid: int, namespace: str | None) -> bytes:
    """What the lock's file says."""
    return f"{pid} {namespace or ''}".encode()


def serve_channel(
    s3: S3, channel: Channel, share: Share, places: Places, namespace: str | None, tell: Callable[[Started], None]
) -> None:
    """List, mount, tell, and answer until the files are unmounted. `tell` is called once; raises its OSError.

    `namespace` (`containers.mount_namespace`) is where the files have to be visible.
    """
    places.files.mkdir(parents=True, exist_ok=True, mode=0o755)
    listing = FastFileListing(s3, channel, share)
    try:
        tree = _tree(channel, listing)
        device = mount_fuse(places.files, namespace)
    except JobFailure as error:
        return tell(Started(failure=error.failure))
    except CannotMount as error:
        return tell(Started(failure=cannot_work(channel, str(error))))
    server = FuseServer(device, tree, s3.read_range, _Teller(channel, places))
    serving = threading.Thread(target=server.run, name="fuse", daemon=True)
    serving.start()
    hasten(places.files, namespace)
    try:
        tell(Started(objects=listing.objects))
    except OSError:  # the agent is gone, and nobody will ever read
        unmount(os.fspath(places.files), namespace)
        raise
    serving.join()
    return None


def cannot_work(channel: Channel, why: str) -> Failure:
    """The failure of a channel on a machine that mounts nothing."""
    return Failure(
        fault="client",
        message=f"Data download failed:Channel {channel.name}: FastFile cannot work here. {why}. Otherwise use File or "
        "Pipe mode.",
    )


def _tree(channel: Channel, listing: FastFileListing) -> ObjectTree:
    tree = ObjectTree(int(time.time()))
    for path, found in listing.files(lambda: None):
        try:
            tree.add(path, found)
        except Clash as error:
            raise clash(channel, found.uri, path) from error
    return tree


class _Teller:
    """Leaves the first failure where the agent looks for it: the program that reads gets no more than EIO."""

    def __init__(self, channel: Channel, places: Places) -> None:
        self._channel, self._places = channel, places
        self._lock = threading.Lock()

    def __call__(self, failure: S3Failure) -> None:
        with self._lock:
            if self._places.failure.exists():
                return
            text = f"Data download failed:Channel {self._channel.name}: {failure}"
            told = Failure(fault=fault_of(failure), message=text)
            fresh = self._places.failure.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(told))
            fresh.replace(self._places.failure)
