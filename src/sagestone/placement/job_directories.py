"""The directories of jobs on this machine: what was reserved, who was ever here, and taking them away."""

import logging
import secrets
import shutil
import threading
from pathlib import Path

import msgspec

from sagestone.agent.files import CACHES, VOLUME, InstanceFiles
from sagestone.durable import whole_file
from sagestone.placement.interface import Reservation

_LOG = logging.getLogger(__name__)

_RESERVATION = "reservation.json"
_TRASH = ".trash"


class JobDirectories:
    """`<jobs>/<training|transform>/<name>/`, each with the reservation of its job in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._trash = root / _TRASH
        self._trash.mkdir(exist_ok=True, mode=0o700)
        for leftover in self._trash.glob("*"):
            _remove_in_background(leftover)

    def keys(self) -> list[str]:
        """Keys of all jobs that have a directory."""
        return sorted(
            f"{kind.name}/{job.name}"
            for kind in self.root.iterdir()
            if kind.is_dir() and not kind.name.startswith(".")
            for job in kind.iterdir()
        )

    def instances(self, job: str) -> list[tuple[int, InstanceFiles]]:
        """The instances that have a directory, by number."""
        found = [
            (int(directory.name.removeprefix("algo-")), InstanceFiles(directory))
            for directory in (self.root / job).glob("algo-*")
            if directory.name.removeprefix("algo-").isdigit()
        ]
        return sorted(found, key=lambda entry: entry[0])

    def write_reservation(self, reservation: Reservation) -> None:
        """Keep it, whole or not at all, so that a restarted service knows who has what."""
        directory = self.root / reservation.job
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole_file(directory / _RESERVATION) as file:
            file.write(msgspec.json.encode(reservation))

    def read_reservations(self) -> dict[str, Reservation]:
        """Those of all jobs; one that cannot be read is as if it were not there."""
        found: dict[str, Reservation] = {}
        for key in self.keys():
            path = self.root / key / _RESERVATION
            try:
                found[key] = msgspec.json.decode(path.read_bytes(), type=Reservation)
            except FileNotFoundError:
                continue
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                _LOG.warning("%s is no reservation and is passed over: %s", path, error)
        return found

    def volumes(self, job: str) -> list[Path]:
        """The directories of the job's encrypted volumes."""
        return sorted((self.root / job / CACHES).glob(f"*{VOLUME}"))

    def remove(self, job: str) -> None:
        """Out of sight at once, gone soon: the data of a job may be large."""
        self._throw_away(self.root / job)

    def keep(self, job: str) -> None:
        """Remove all but what a job that takes its instances over gets: the reservation and the caches."""
        for entry in list((self.root / job).glob("*")):
            if entry.name not in (_RESERVATION, CACHES):
                self._throw_away(entry)

    def pass_on(self, pool: str, job: str) -> None:
        """The caches of the pool are the job's now, and nothing else is left of the pool."""
        caches = self.root / pool / CACHES
        if caches.exists():
            caches.replace(self.root / job / CACHES)
        self.remove(pool)

    def _throw_away(self, path: Path) -> None:
        if not path.exists():
            return
        place = self._trash / secrets.token_hex(8)  # a name in a directory that is there: a full disk has room for it
        path.replace(place)
        _remove_in_background(place)


def _remove_in_background(directory: Path) -> None:
    """The process does not end before it is done: nobody else would go on with it before the next start."""
    threading.Thread(target=_remove_tree, args=(directory,), name="job-directory-removal", daemon=False).start()


def _remove_tree(directory: Path) -> None:
    try:
        if directory.is_dir() and not directory.is_symlink():
            shutil.rmtree(directory)
        else:
            directory.unlink()
    except OSError as error:
        _LOG.warning("%s could not be removed, the next start tries again: %s", directory, error)
