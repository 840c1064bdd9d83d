"""The keys of KMS of a home, opened with its root key."""

from pathlib import Path

from sagestone.agent.build import build_vault
from sagestone.agent.parts import KeysPart
from sagestone.compose.runtimes import CannotStart
from sagestone.domain.names import Deployment
from sagestone.kms.refusal import KmsRefusal
from sagestone.kms.root_key import BadRootKey, open_root_key
from sagestone.kms.vault import Vault
from sagestone.settings import Settings


def root_key_file(settings: Settings) -> Path:
    """Where the root key is: beside the keys unless the settings have another place for it."""
    return Path(settings.kms_root_key).expanduser() if settings.kms_root_key else settings.home / "root.key"


def open_keys(settings: Settings, deployment: Deployment) -> tuple[Vault, KeysPart]:
    """The keys, and what agents need to open them too; raises CannotStart.

    A root key is made with the first keys only: another one could not open those that there are.
    """
    directory = settings.home / "kms"
    try:
        root_key = open_root_key(root_key_file(settings), make=not directory.exists())
        part = KeysPart(
            directory=str(directory),
            root_key=root_key.hex(),
            partition=deployment.partition,
            region=deployment.region,
            account=deployment.account,
        )
        vault = build_vault(part)
        vault.add_managed_keys()
    except (BadRootKey, KmsRefusal) as error:
        raise CannotStart(f"the keys in {directory} cannot be used: {error}") from error
    return vault, part
