"""What the operations work with: handed over once, when the operation table is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sagestone.domain.file_system import FileSystem
from sagestone.domain.names import Deployment
from sagestone.job_logs.reader import LogReader
from sagestone.kms.vault import Vault
from sagestone.operations.kms.key_ids import KnownKeys
from sagestone.placement.ledger import Reserved
from sagestone.s3.client import S3
from sagestone.store.interface import Store
from sagestone.wire.credentials import CredentialBook


class ResolvedImage(Protocol):
    """An image that the runtime holds; `containers.runtime.Image` is one."""

    @property
    def digest(self) -> str: ...


class DrainedMachine(Protocol):
    """What runs the jobs; `placement.local.LocalPlacement` is one."""

    @property
    def draining(self) -> bool: ...

    def drain(self, draining: bool) -> None: ...

    def reserved(self) -> Reserved: ...


class Cleaned(Protocol):
    """Something that was taken away from the home; `size` in bytes."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """The parts and facts that an operation may use; each may be called from any thread."""

    store: Store
    deployment: Deployment
    clock: Callable[[], float]  # epoch seconds
    new_id: Callable[[], str]  # unique, letters and digits at its start
    image: Callable[[str], ResolvedImage]  # raises ImageNotFound, or RuntimeFailure
    images_at_hand: bool = False  # whether `image` answers without a wait
    hint: Callable[[], None]  # tells the controller that there is something to do; returns at once
    logs: LogReader
    file_systems: Mapping[str, FileSystem] = field(default_factory=dict)  # by id; what channels may mount
    book: CredentialBook  # the keys that may sign and what each caller may do; it seals the keys of assumed roles
    machine: DrainedMachine | None = None  # where jobs run, for the account that may empty it; None: it may not
    clean: Callable[[bool], Sequence[Cleaned]] | None = None  # a dry run?; for the account that may clean the home
    s3: S3  # where models and data lie, with the service's own keys
    vault: Vault  # the keys of KMS
    keys: KnownKeys  # those that jobs may name
