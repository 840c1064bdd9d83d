"""FastFile by a process that shows a channel's objects as files until they are no longer mounted.

It outlives the agent that starts it, so that an agent that dies costs the program nothing. What it says: one line of
JSON on standard output when the files can be read, or why they never will be (Started); afterwards, that everything is
listed (the file of `Places.listed`), and the first thing that went wrong (`Places.failure`).
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sagestone.channels.fast_file.asking import Asking
from sagestone.channels.fast_file.growing import GrowingFiles
from sagestone.channels.fast_file.kept import KeptObjects
from sagestone.channels.fast_file.listing import FastFileListing, check_prefix, promised_files
from sagestone.channels.fuse.mount import CannotMount, hasten, mount_fuse, unmount
from sagestone.channels.fuse.server import FuseServer
from sagestone.channels.fuse.tree import ObjectTree
from sagestone.domain.channel import Channel
from sagestone.domain.failure import Failure, JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, S3Failure, fault_of

_LISTED_FIRST = 1000  # objects: a page of a listing
_SWITCH_SECONDS, _USUAL_SECONDS = 0.0005, 0.005  # who asks for a file must not wait for who lists all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """How the start went: the channel's objects as far as they are listed, or the failure of the job.

    `is_machine`: it is this machine that cannot show files.
    """

    objects: int = 0
    failure: Failure | None = None
    is_machine: bool = False


class Places:
    """Where the files of one channel are, and what belongs to them, in a directory of the instance."""

    def __init__(self, directory: Path, channel: str) -> None:
        self.files = directory / "files" / channel
        self.lock = directory / f"{channel}.lock"  # held (flock) by the server; says its process id and its namespace
        self.failure = directory / f"{channel}.failure"
        self.kept = directory / "kept" / channel  # further names of objects of the embedded store
        self.listed = directory / f"{channel}.listed"  # there when everything is listed, and can be shown


def lock_content(pid: int, namespace: str | None) -> bytes:
    """What the lock's file says."""
    return f"{pid} {namespace or ''}".encode()


def serve_channel(
    s3: S3,
    channel: Channel,
    share: Share,
    places: Places,
    namespace: str | None,
    tell: Callable[[Started], None],
    *,
    for_all: bool = False,
) -> None:
    """Mount, tell, and answer until the files are unmounted; all is listed meanwhile but the first thousand objects.

    `tell` is called once; raises its OSError. `namespace` (`containers.mount_namespace`) is where the files have to be
    visible; `for_all`: not where other users could not read them.
    """
    places.files.mkdir(parents=True, exist_ok=True, mode=0o755)
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        listing = FastFileListing(s3, channel, share)
        files = GrowingFiles(channel, listing, ObjectTree(int(time.time())), Asking(s3, channel, share))
        files.promise(promised_files(s3, channel, share))
        kept = KeptObjects(s3, places.kept) if s3.has_files else None
        keep = () if kept is None else (kept.keep,)
        threading.Thread(target=files.grow, args=keep, name="list", daemon=True).start()
        files.await_first(_LISTED_FIRST)
        check_prefix(s3, channel)
        device = mount_fuse(places.files, namespace, for_others=for_all)
    except JobFailure as error:
        return tell(Started(failure=error.failure))
    except S3Failure as error:
        return tell(Started(failure=_failure_of(channel, error)))
    except CannotMount as error:
        return tell(Started(failure=cannot_work(channel, str(error)), is_machine=True))
    teller = _Teller(channel, places)
    fetch = s3.read_range if kept is None else kept.read_range
    server = FuseServer(device, files, fetch, teller, at_hand=s3.has_files)
    serving = threading.Thread(target=server.run, name="fuse", daemon=True)
    serving.start()
    hasten(places.files, namespace)
    try:
        tell(Started(objects=listing.listed))
    except OSError:  # the agent is gone, and nobody will ever read
        unmount(os.fspath(places.files), namespace)
        raise
    files.await_all()
    if files.failure is not None:
        teller.tell(files.failure.failure)
    else:
        places.listed.touch()
    sys.setswitchinterval(_USUAL_SECONDS)
    serving.join()
    return None


def cannot_work(channel: Channel, why: str) -> Failure:
    """The failure of a channel on a machine that mounts nothing."""
    return Failure(
        fault="client",
        message=f"Data download failed:Channel {channel.name}: FastFile cannot work here. {why}. Otherwise use File or "
        "Pipe mode.",
    )


def _failure_of(channel: Channel, failure: S3Failure) -> Failure:
    return Failure(fault=fault_of(failure), message=f"Data download failed:Channel {channel.name}: {failure}")


class _Teller:
    """Leaves the first failure where the agent looks for it: the program that reads gets no more than EIO."""

    def __init__(self, channel: Channel, places: Places) -> None:
        self._channel, self._places = channel, places
        self._lock = threading.Lock()

    def __call__(self, failure: S3Failure) -> None:
        self.tell(_failure_of(self._channel, failure))

    def tell(self, failure: Failure) -> None:
        """As for an object that cannot be read."""
        with self._lock:
            if self._places.failure.exists():
                return
            fresh = self._places.failure.with_name(self._places.failure.name + ".new")
            fresh.write_bytes(msgspec.json.encode(failure))
            fresh.replace(self._places.failure)
