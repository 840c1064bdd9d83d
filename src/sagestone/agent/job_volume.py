"""The encrypted volume of an instance whose job names a KMS key for it, and the data keys that open such volumes.

A data key is made here, kept sealed under the KMS key, and handed to the kernel: it is on no disk, in no log and in no
other process. It is bound to the volume's id, as that of an EBS volume is.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sagestone.agent.files import InstanceFiles
from sagestone.archive.remove import remove_tree
from sagestone.containers.runtime import Mount
from sagestone.domain.assignment import Assignment
from sagestone.domain.failure import JobFailure
from sagestone.durable import sync_directory
from sagestone.kms.refusal import KmsRefusal
from sagestone.volumes.document import CannotOpen
from sagestone.volumes.fscrypt import KEY_BYTES
from sagestone.volumes.volume import Volume

if TYPE_CHECKING:
    from sagestone.kms.key import Key
    from sagestone.kms.vault import Vault

_CONTEXT: Final = "aws:ebs:id"
_VOLUME_BYTES: Final = 30 * 1024**3  # where nothing says how large: as batch transform documents it


class VolumeKeys:
    """`sagestone.volumes.document.DataKeys` of the key that a job names."""

    def __init__(self, vault: "Vault", name: str) -> None:
        self._vault, self._name = vault, name

    def make(self, volume: str) -> tuple[str, str, bytes]:
        with _refusals():
            key, data_key = self._usable(), secrets.token_bytes(KEY_BYTES)
            sealed = self._vault.encrypt(key, data_key, {_CONTEXT: volume})
            return self._vault.arn(key), b64encode(sealed).decode(), data_key

    def open(self, volume: str, sealed: str) -> bytes:
        with _refusals():
            _, data_key = self._vault.decrypt(b64decode(sealed), {_CONTEXT: volume})
            return data_key

    def is_under(self, key: str) -> bool:
        with _refusals():
            return self._vault.arn(self._usable()) == key

    def _usable(self) -> "Key":
        return self._vault.usable(self._name)


class JobVolume:
    """The volumes of a job's instances, as one of them needs them."""

    def __init__(self, assignment: Assignment, keys: VolumeKeys, namespace: str | None) -> None:
        self._assignment, self._keys, self._namespace = assignment, keys, namespace

    def open(self, files: InstanceFiles) -> InstanceFiles:
        """The files of this instance, on its volume: a new one, or that of a warm pool without what its last job left.

        One that an earlier agent of the job opened is as it was. Raises JobFailure.
        """
        moved, begun = files.moved(), files.directory / "volume-begun"
        with self._failures():
            volume = Volume(files.volume, self._namespace)
            if begun.exists():
                volume.open_again(self._keys)
                return moved
            volume.open(self._keys, self._assignment.limits.volume_bytes or _VOLUME_BYTES)
            for path in (moved.opt_ml, moved.spools, moved.tmp):
                remove_tree(path)
            moved.spools.mkdir()
            begun.touch()
            sync_directory(files.directory)
        return moved

    def open_peer(self, files: InstanceFiles) -> None:
        """Have what another host of the job left readable, also after a restart of the machine; raises JobFailure."""
        with self._failures():
            Volume(files.volume, self._namespace).open_again(self._keys)

    def check_written(self, files: InstanceFiles) -> None:
        """Raises JobFailure (internal) where something that was written to the volume did not reach the disk."""
        try:
            Volume(files.volume).check_written()
        except OSError as error:
            raise JobFailure(
                "internal",
                f"What {self._assignment.host.name} wrote to its encrypted volume did not all reach the disk of this "
                f"machine, which was full or failed: {error.strerror or error}",
            ) from error

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (CannotOpen, OSError) as error:
            of_key = isinstance(error, CannotOpen) and error.of_key
            key = self._assignment.job.volume_kms_key_id
            message = (
                f"The volume of {self._assignment.host.name} cannot be encrypted with VolumeKmsKeyId {key}: {error}"
            )
            raise JobFailure("client" if of_key else "internal", message) from error


def tmp_mounts(files: InstanceFiles, position: int | None = None) -> tuple[Mount, ...]:
    """A container's /tmp, which belongs to the volume (documented): mounted where that is an encrypted one.

    `position` is that of a container among several of the instance.
    """
    if not files.on_volume:
        return ()
    tmp = files.tmp if position is None else files.tmp / str(position)
    tmp.mkdir(parents=True, exist_ok=True)
    tmp.chmod(0o1777)
    return (Mount(source=tmp, target="/tmp"),)


def job_volume(assignment: Assignment, vault: "Callable[[], Vault]", namespace: str | None) -> JobVolume | None:
    """What opens the job's volumes; None: they are directories of the machine."""
    name = assignment.job.volume_kms_key_id
    return JobVolume(assignment, VolumeKeys(vault(), name), namespace) if name else None


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except KmsRefusal as refusal:
        raise CannotOpen(
            f"the KMS key cannot be used (KMS.{refusal.code}: {refusal.message})", of_key=True
        ) from refusal
