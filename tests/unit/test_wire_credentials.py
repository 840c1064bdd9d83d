"""The credentials file: made once, private, whole."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagestone.wire.credentials import FILE_NAME, BadCredentials, CredentialBook, Credentials

ACCOUNT = "123456789012"


def test_the_first_start_generates_keys_that_stay(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = CredentialBook.open(home, ACCOUNT).default
    assert first.account == ACCOUNT
    assert first.access_key.startswith("AKIA")
    assert (len(first.access_key), len(first.secret_key)) == (20, 40)
    assert CredentialBook.open(home, ACCOUNT).default == first
    assert CredentialBook.open(tmp_path / "other", ACCOUNT).default != first


def test_the_file_belongs_to_its_owner_alone_and_nothing_else_is_left(tmp_path: Path) -> None:
    CredentialBook.open(tmp_path, ACCOUNT)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_many_first_starts_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        books = list(pool.map(lambda _: CredentialBook.open(tmp_path, ACCOUNT), range(32)))
    assert len({book.default.access_key for book in books}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_more_keys_can_be_written_into_the_file(tmp_path: Path) -> None:
    entries = [{"access_key": name, "secret_key": f"{name}-secret", "account": ACCOUNT} for name in ("one", "two")]
    (tmp_path / FILE_NAME).write_text(json.dumps({"credentials": entries}))
    book = CredentialBook.open(tmp_path, ACCOUNT)
    assert book.default.access_key == "one"
    assert book.find("two") == Credentials(access_key="two", secret_key="two-secret", account=ACCOUNT)
    assert book.find("three") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"credentials": []}', '{"credentials": [{"access_key": "a"}]}', '{"credentials": [1]}']
)
def test_a_file_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(BadCredentials) as refused:
        CredentialBook.open(tmp_path, ACCOUNT)
    assert str(tmp_path / FILE_NAME) in str(refused.value)
    assert "remove it to have new keys generated" in str(refused.value)


def test_a_secret_is_not_printed_by_accident() -> None:
    assert "hush" not in repr(Credentials(access_key="AK", secret_key="hush", account=ACCOUNT))
