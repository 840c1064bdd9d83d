"""The key store on disk: what lies there, who may read it, and what opens under which root key and context."""

import json
import stat
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.kms.ciphertext import context_bytes, read_ciphertext
from sagestone.kms.key_store import KeyStore
from sagestone.kms.refusal import KmsRefusal
from sagestone.kms.root_key import BadRootKey, open_root_key
from sagestone.kms.seal import BadSeal, seal, unseal
from sagestone.kms.vault import Vault
from tests.unit.served import DEPLOYMENT

ROOT = bytes(range(32))


def vault(directory: Path, root_key: bytes = ROOT, now: float = 100.0) -> Vault:
    made = Vault(KeyStore(directory, root_key), DEPLOYMENT, lambda: now)
    made.add_managed_keys()
    return made


@given(data=st.binary(max_size=5000), context=st.binary(max_size=50), at=st.integers(0), bit=st.integers(0, 7))
def test_whatever_is_changed_in_a_seal_is_noticed(data: bytes, context: bytes, at: int, bit: int) -> None:
    sealed = seal(ROOT, data, context)
    assert unseal(ROOT, sealed, context) == data
    changed = bytearray(sealed)
    changed[at % len(sealed)] ^= 1 << bit
    for key, text, other in (
        (ROOT, bytes(changed), context), (bytes(32), sealed, context), (ROOT, sealed, context + b"."),
        (ROOT, sealed[:-1], context),
    ):  # fmt: skip
        with pytest.raises(BadSeal):
            unseal(key, text, other)


@given(context=st.dictionaries(st.text(), st.text(), max_size=5))
def test_a_context_means_the_same_in_any_order(context: dict[str, str]) -> None:
    turned = dict(reversed(context.items()))
    assert context_bytes(turned) == context_bytes(context)


@given(blob=st.binary(max_size=80))
def test_no_bytes_are_taken_for_a_ciphertext_by_mistake(blob: bytes) -> None:
    assert read_ciphertext(blob) is None or blob.startswith(b"\x01sk")


def test_a_seal_shorter_than_its_salt_is_noticed() -> None:
    for length in range(20):
        with pytest.raises(BadSeal):
            unseal(ROOT, bytes(length), b"")


def test_the_root_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "root.key"
    key = open_root_key(path, make=True)
    assert (len(key), stat.S_IMODE(path.stat().st_mode)) == (32, 0o600)
    assert open_root_key(path, make=True) == open_root_key(path, make=False) == key
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (b"00" * 32, 0o640, "may be read by others (mode 0640): `chmod 600"),
        (b"00" * 31, 0o600, "holds no root key: 64 hexadecimal digits are expected"),
        (b"\xff", 0o600, "cannot be read"),
        (None, 0o600, "is missing: the keys that it sealed cannot be used without it"),
    ],
)
def test_a_root_key_that_cannot_be_used(tmp_path: Path, content: bytes | None, mode: int, told: str) -> None:
    path = tmp_path / "root.key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(BadRootKey) as caught:
        open_root_key(path, make=content is not None)
    assert told in str(caught.value)


def test_what_lies_on_disk_says_nothing_without_the_root_key(tmp_path: Path) -> None:
    keys = vault(tmp_path / "kms")
    key = keys.create("mine")
    material = KeyStore(tmp_path / "kms", ROOT).material(key)
    for path in (tmp_path / "kms").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = path.read_bytes()
        assert material not in content
    assert stat.S_IMODE((tmp_path / "kms").stat().st_mode) == 0o700
    kept = json.loads((tmp_path / "kms" / f"{key.id}.json").read_bytes())
    assert material not in b64decode(kept["material"])
    assert material.hex() not in str(kept)
    with pytest.raises(KmsRefusal, match="does not open with this root key"):
        vault(tmp_path / "kms", bytes(32))
    with pytest.raises(KmsRefusal, match="does not open with this root key"):
        KeyStore(tmp_path / "kms", ROOT).material(replace(key, id="0" * 8 + key.id[8:]))


def test_other_processes_see_each_change(tmp_path: Path) -> None:
    keys, agents = vault(tmp_path / "kms"), vault(tmp_path / "kms")
    key = keys.create()
    keys.put_alias("alias/mine", key)
    blob = keys.encrypt(key, b"data", {"a": "b"})
    assert agents.decrypt(blob, {"a": "b"}) == (key, b"data")
    assert agents.usable("alias/mine") == key
    keys.change(key, lambda known: replace(known, state="Disabled"))
    with pytest.raises(KmsRefusal) as caught:
        agents.decrypt(blob, {"a": "b"})
    assert (caught.value.code, caught.value.message) == ("DisabledException", f"{keys.arn(key)} is disabled.")


def test_a_key_whose_time_has_come_is_gone_with_its_names(tmp_path: Path) -> None:
    keys = vault(tmp_path / "kms")
    key = keys.create()
    keys.put_alias("alias/mine", key)
    keys.change(key, lambda known: replace(known, state="PendingDeletion", deletion_at=200.0))
    assert keys.find(key.id).state == "PendingDeletion"
    later = vault(tmp_path / "kms", now=200.0)
    with pytest.raises(KmsRefusal, match=r"does not exist"):
        later.find(key.id)
    with pytest.raises(KmsRefusal, match=r"Alias .* is not found"):
        later.find("alias/mine")
    assert key.id not in {path.stem for path in (tmp_path / "kms").iterdir()}
