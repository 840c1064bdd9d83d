"""Takes away what a home need not keep any more: by the rules of its settings, and what dead processes left.

Nothing is touched that a running job or a registered algorithm, model or package needs: they are asked right before
something goes, and what is just being made is known by a lock, or is too young.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from sagestone.archive.remove import remove_tree
from sagestone.compose.tenant import Tenant, directory_of
from sagestone.compose.watched_images import WatchedImages
from sagestone.containers.fresh import sweep
from sagestone.containers.images.store import ImageStore
from sagestone.containers.runtime import Runtime, RuntimeFailure
from sagestone.domain.retention import NO_AGE, Aged, Rules, too_many, too_old
from sagestone.job_logs.names import GROUPS, TRAINING_GROUP, group_directory
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3.storage.storage import Storage

_LOG = logging.getLogger("sagestone.clean")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Something that was taken away, or would be; `size` in bytes."""

    kind: Literal["log", "image", "upload", "blob", "cache"]
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedHome:
    """Whom a cleaner asks; `tenants` are the accounts that are open, `accounts` the words of all there are."""

    home: Path
    tenants: Callable[[], list[Tenant]]
    accounts: Callable[[], list[str]]
    storage: Storage | None
    runtime: Runtime
    images: WatchedImages


class Cleaner:
    """Cleans one home; one cleaning at a time."""

    def __init__(self, home: CleanedHome, rules: Rules, clock: Callable[[], float]) -> None:
        self._home, self._rules, self._clock = home, rules, clock
        self._lock = threading.Lock()

    def clean(self, dry_run: bool) -> list[Gone]:
        """What went, or what would go now. What cannot be removed is logged, and tried again the next time."""
        with self._lock:
            gone = [*self._logs(dry_run), *self._uploads(dry_run), *self._blobs(dry_run)]
            gone += [*self._images(dry_run), *self._cache(dry_run)]
            if not dry_run:
                self._leavings()
                for each in gone:
                    _LOG.info("removed %s %s, %d bytes", each.kind, each.name, each.size)
            return gone

    def _logs(self, dry_run: bool) -> Iterator[Gone]:
        for tenant in self._home.tenants():
            logs = directory_of(self._home.home, tenant.account) / "logs"
            now = self._clock()
            files = {str(path): path for group in GROUPS for path in group_directory(logs, group).rglob("*.log")}
            kept = [_aged(path, str(path)) for path in files.values()]
            old = [each for each in kept if too_old(each.changed_at, self._rules.logs_days, now)]
            rest = [each for each in kept if each not in old]
            going = [(each, self._rules.logs_days) for each in old]
            going += [(each, NO_AGE) for each in too_many(rest, self._rules.logs_gb, now)]
            for each, days in going:
                path = files[each.name]
                ended_at = _ended_at(tenant, logs, path)
                if ended_at is None or not too_old(ended_at, days, now):
                    continue  # it may still write, or has ended after a long silence
                if dry_run or _unlink(path):
                    yield Gone(kind="log", name=str(path.relative_to(logs)), size=each.size)
                    if not dry_run:
                        _remove_empty(path.parent)

    def _uploads(self, dry_run: bool) -> Iterator[Gone]:
        storage = self._home.storage
        if storage is None:
            return
        for upload in storage.uploads.all():
            parts = storage.uploads.parts(upload)
            changed_at = max([upload.begun_at, *(part.modified_at for part in parts)])
            if not too_old(changed_at, self._rules.uploads_days, self._clock()):
                continue
            if not dry_run:
                try:
                    storage.uploads.abort(upload)
                except Refusal:
                    continue  # it was completed or aborted since we looked
            size = sum(part.size for part in parts)
            yield Gone(kind="upload", name=f"s3://{upload.bucket}/{upload.key}", size=size)

    def _blobs(self, dry_run: bool) -> Iterator[Gone]:
        if self._home.storage is not None:
            for name, size in self._home.storage.sweep(dry_run=dry_run):
                yield Gone(kind="blob", name=name, size=size)

    def _images(self, dry_run: bool) -> Iterator[Gone]:
        """Those of the sandbox; an engine's are the engine's."""
        if self._rules.images_days <= 0 or self._home.runtime.name != "sandbox":
            return
        if not {tenant.account for tenant in self._home.tenants()}.issuperset(self._home.accounts()):
            _LOG.warning("an account could not be opened: images are kept, since it may need them")
            return
        store = ImageStore(self._home.home / "sandbox" / "images")
        for image in list(self._home.runtime.images()):
            if not too_old(store.loaded_at(image.id), self._rules.images_days, self._clock()):
                continue

            def is_needed(id_: str = image.id, digest: str = image.digest) -> bool:
                return any({id_, digest} & tenant.store.pinned_digests() for tenant in self._home.tenants())

            def remove(id_: str = image.id) -> None:
                self._home.runtime.remove_image(id_)

            try:
                removed = self._home.images.remove(image, is_needed, (lambda: None) if dry_run else remove)
            except RuntimeFailure as error:
                _LOG.info("image %s stays: %s", image.id, error)
                continue
            if removed:
                yield Gone(kind="image", name=", ".join(image.names) or image.id, size=image.size_bytes)

    def _cache(self, dry_run: bool) -> Iterator[Gone]:
        for path in (self._home.home / "cache").glob("*/*"):
            status = path.lstat()
            if too_old(max(status.st_mtime, status.st_atime), self._rules.cache_days, self._clock()):
                size = _size(path)
                if not dry_run:
                    remove_tree(path)
                yield Gone(kind="cache", name=path.name, size=size)

    def _leavings(self) -> None:
        """What killed processes left half made; and working files of jobs that are over, by their controllers."""
        sweep(self._home.home)
        if self._home.storage is not None:
            sweep(self._home.storage.directory)
        for tenant in self._home.tenants():
            tenant.controller.sweep()


def _ended_at(tenant: Tenant, logs: Path, path: Path) -> float | None:
    """When the job of a log stream ended, 0 for one that is not there any more; None for one that is not over."""
    group = TRAINING_GROUP if path.is_relative_to(group_directory(logs, TRAINING_GROUP)) else GROUPS[1]
    name = unquote(path.relative_to(group_directory(logs, group)).parts[0])
    job = tenant.store.training_job(name) if group == TRAINING_GROUP else tenant.store.transform_job(name)
    if job is None:
        return 0.0
    return job.ended_at if job.finished else None


def _aged(path: Path, name: str) -> Aged:
    try:
        status = path.stat()
    except FileNotFoundError:
        return Aged(name=name, size=0, changed_at=float("inf"))
    return Aged(name=name, size=status.st_size, changed_at=status.st_mtime)


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except OSError as error:
        _LOG.warning("%s could not be removed: %s", path, error)
        return False
    return True


def _remove_empty(directory: Path) -> None:
    """A job's directory goes with its last stream; a writer that opens one meanwhile makes it anew."""
    try:
        directory.rmdir()
    except OSError:
        return


def _size(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        return sum(each.lstat().st_size for each in path.rglob("*"))
    return path.lstat().st_size
