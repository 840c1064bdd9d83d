"""A certificate that cannot be used is told before anything listens, with what to do."""

import dataclasses
import ssl
from pathlib import Path
from typing import Any

import pytest

from sagestone.compose.runtimes import CannotStart
from sagestone.compose.tls import tls_context
from sagestone.settings import BadSetting, Settings, read_settings
from tests.certificates import make_pair


def settings(directory: Path, **changes: Any) -> Settings:
    pair = make_pair(directory)
    made = Settings(
        home=directory, tls_certificate=str(pair.certificate), tls_key=str(pair.key), tls_ca=str(pair.authority)
    )
    return dataclasses.replace(made, **changes)


def test_a_pair_gives_tls_of_today(tmp_path: Path) -> None:
    context = tls_context(settings(tmp_path))
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls_context(Settings(home=tmp_path)) is None


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    other, sealed = make_pair(tmp_path / "other"), make_pair(tmp_path / "sealed", password=b"secret")
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    for changes, told in (
        ({"tls_key": str(other.key)}, "is not the key of tls_certificate"),
        ({"tls_certificate": str(sealed.certificate), "tls_key": str(sealed.key)}, "is encrypted"),
        ({"tls_certificate": str(tmp_path / "none")}, "tls_certificate = .* cannot be read: No such file"),
        ({"tls_key": str(tmp_path)}, "tls_key = .* cannot be read: Is a directory"),
        ({"tls_certificate": str(text)}, "both must be in PEM form"),
        ({"tls_ca": str(text)}, "holds no certificates in PEM form"),
    ):
        with pytest.raises(CannotStart, match=told):
            tls_context(settings(tmp_path / "given", **changes))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"tls_certificate": "c"}, "tls_certificate and tls_key go together"),
        ({"tls_key": "k"}, "tls_certificate and tls_key go together"),
        ({"tls_ca": "a"}, "says whom to trust for tls_certificate, which is missing"),
        ({"public_host": "a b"}, "expected a name such as"),
        ({"insecure_no_auth": True, "listen": "0.0.0.0:1"}, "lets everybody in who reaches 0.0.0.0:1"),
        ({"insecure_no_auth": True, "listen": "[::]:1"}, "lets everybody in"),
        ({"insecure_no_auth": True, "listen": "machine.example.com:1"}, "lets everybody in"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path: Path, given: dict[str, Any], told: str) -> None:
    with pytest.raises(BadSetting, match=told):
        read_settings({}, home=tmp_path, **given)


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"])
def test_no_authentication_is_for_this_machine_unless_told(tmp_path: Path, listen: str) -> None:
    assert read_settings({}, home=tmp_path, insecure_no_auth=True, listen=listen).on_loopback
    told = {"insecure_no_auth": True, "insecure_on_network": True}
    assert not read_settings({}, home=tmp_path, listen="0.0.0.0:1", **told).on_loopback
