"""The data keys of volumes under a real KMS key: sealed, bound to their volume, of no use when the KMS key is off."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.agent.job_volume import VolumeKeys
from sagestone.channels.fuse.mount import mounts_below
from sagestone.domain.names import Deployment
from sagestone.kms.key_store import KeyStore
from sagestone.kms.vault import Vault
from sagestone.volumes.document import CannotOpen, read_document
from sagestone.volumes.probe import complaint
from sagestone.volumes.volume import Volume
from tests.raw_files import holders

DEPLOYMENT = Deployment(partition="aws", region="us-east-1", account="123456789012")
ROOM = 32 * 1024**2


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(KeyStore(tmp_path / "kms", bytes(range(32))), DEPLOYMENT, lambda: 1.0)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    if (why := complaint()) is not None:
        pytest.skip(f"no volume can be encrypted here: {why}")
    yield tmp_path / "volume"
    Volume(tmp_path / "volume").close(keep=False)
    assert mounts_below(tmp_path) == []


def test_a_data_key_is_bound_to_its_volume_and_to_its_kms_key(vault: Vault) -> None:
    key, other = vault.create(), vault.create()
    vault.put_alias("alias/volumes", key)
    keys = VolumeKeys(vault, "alias/volumes")
    arn, sealed, data_key = keys.make("vol-1")
    assert (arn, len(data_key), keys.is_under(arn)) == (vault.arn(key), 32, True)
    assert data_key not in b64decode(sealed)
    assert keys.open("vol-1", sealed) == data_key
    with pytest.raises(CannotOpen, match="InvalidCiphertextException"):
        keys.open("vol-2", sealed)
    vault.put_alias("alias/volumes", other, replaces=True)
    assert not keys.is_under(arn)
    assert keys.open("vol-1", sealed) == data_key


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_a_volume_stays_closed_while_its_kms_key_is_off(vault: Vault, place: Path, state: str) -> None:
    key = vault.create()
    keys, volume = VolumeKeys(vault, key.id), Volume(place)
    volume.open(keys, ROOM)
    (volume.data / "file").write_bytes(b"content")
    known = read_document(place / "volume.json")
    assert known is not None
    data_key = keys.open(known.id, known.sealed)
    vault.change(key, lambda it: replace(it, state=state))  # type: ignore[arg-type]
    volume.open_again(keys)  # the kernel has the data key
    assert (volume.data / "file").read_bytes() == b"content"
    volume.close(keep=True)
    for ask in (lambda: volume.open_again(keys), lambda: volume.open(keys, ROOM), lambda: keys.make("vol-1")):
        with pytest.raises(CannotOpen, match="the KMS key cannot be used") as caught:
            ask()
        assert caught.value.of_key
    assert holders(place, data_key) == []
    vault.change(key, lambda it: replace(it, state="Enabled"))
    volume.open_again(keys)
    assert (volume.data / "file").read_bytes() == b"content"
