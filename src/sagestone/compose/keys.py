"""The keys of KMS of a home, opened with its root key."""

from collections.abc import Callable
from pathlib import Path

from sagestone.compose.runtimes import CannotStart
from sagestone.domain.names import Deployment
from sagestone.kms.key_store import KeyStore
from sagestone.kms.refusal import KmsRefusal
from sagestone.kms.root_key import BadRootKey, open_root_key
from sagestone.kms.vault import Vault
from sagestone.settings import Settings


def root_key_file(settings: Settings) -> Path:
    """Where the root key is: beside the keys unless the settings have another place for it."""
    return Path(settings.kms_root_key).expanduser() if settings.kms_root_key else settings.home / "root.key"


def open_keys(settings: Settings, deployment: Deployment, clock: Callable[[], float]) -> tuple[Vault, bytes]:
    """The keys, and the root key that agents need; raises CannotStart.

    A root key is made with the first keys only: another one could not open those that there are.
    """
    directory = settings.home / "kms"
    try:
        root_key = open_root_key(root_key_file(settings), make=not directory.exists())
        vault = Vault(KeyStore(directory, root_key), deployment, clock)
        vault.add_managed_keys()
    except (BadRootKey, KmsRefusal) as error:
        raise CannotStart(f"the keys in {directory} cannot be used: {error}") from error
    return vault, root_key
