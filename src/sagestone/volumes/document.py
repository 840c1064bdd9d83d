"""What is kept of a volume beside its image: nothing that opens it without the KMS key."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from sagestone.durable import whole_file


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeDocument:
    """Its id, the ARN of the KMS key, the data key sealed under it (base64), what the kernel calls the data key (hex).

    `namespace` (`containers.mount_namespace`) is where it may be mounted beside where the service lives.
    """

    id: str
    key: str
    sealed: str
    identifier: str
    namespace: str | None = None


class DataKeys(Protocol):
    """Makes and opens the data keys of volumes under one KMS key; raises CannotOpen where it cannot be used."""

    def make(self, volume: str) -> tuple[str, str, bytes]:
        """The ARN of the KMS key, the data key sealed (base64), and in the clear."""
        ...

    def open(self, volume: str, sealed: str) -> bytes: ...

    def is_under(self, key: str) -> bool:
        """Whether the ARN is that of the KMS key."""
        ...


class CannotOpen(Exception):
    """A volume that cannot be made or opened; `of_key` where that is because its key cannot be used."""

    def __init__(self, message: str, *, of_key: bool = False) -> None:
        super().__init__(message)
        self.of_key = of_key


def read_document(path: Path) -> VolumeDocument | None:
    """The document; None where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=VolumeDocument)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def write_document(path: Path, document: VolumeDocument) -> None:
    """Keep it, whole or not at all, readable by its owner only."""
    with whole_file(path) as file:
        file.write(msgspec.json.encode(document))
