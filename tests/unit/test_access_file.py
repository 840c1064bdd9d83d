"""Users, keys and policies as they are kept: changed whole or not at all, and followed while a service runs."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.domain.principal import FIRST_USER, Principal
from sagestone.wire.access_document import (
    MOST_KEYS,
    AccessDocument,
    Account,
    AttachedPolicy,
    BadChange,
    Credentials,
    User,
    add_account,
    add_key,
    add_user,
    drop_policy,
    new_key,
    put_policy,
    remove_keys,
    remove_user,
    set_disabled,
)
from sagestone.wire.access_file import FILE_NAME, BadCredentials, change_access, read_access
from sagestone.wire.credentials import CredentialBook
from sagestone.wire.session_tokens import BadToken, issue_session, open_session

ACCOUNT, OTHER = "123456789012", "210987654321"
ALLOW = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}


@pytest.fixture
def book(tmp_path: Path) -> CredentialBook:
    return CredentialBook.open(tmp_path, ACCOUNT)


def with_alice(document: AccessDocument) -> AccessDocument:
    made = add_user(document, User(account=ACCOUNT, name="alice"))
    return add_key(made, new_key(ACCOUNT, "alice", 1.0))


def test_a_change_counts_from_the_next_request_on(book: CredentialBook, tmp_path: Path) -> None:
    (key,) = change_access(tmp_path, with_alice).keys_of(ACCOUNT, "alice")
    assert book.find(key.access_key) == key
    change_access(tmp_path, lambda known: set_disabled(known, frozenset({key.access_key}), True))
    assert book.find(key.access_key) is None
    change_access(tmp_path, lambda known: set_disabled(known, frozenset({key.access_key}), False))
    assert book.find(key.access_key) == key
    change_access(tmp_path, lambda known: remove_user(known, ACCOUNT, "alice"))
    assert book.find(key.access_key) is None
    assert book.document.user_names(ACCOUNT) == [FIRST_USER]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_policies_belong_to_users_roles_and_accounts(book: CredentialBook, tmp_path: Path) -> None:
    alice, role = Principal(account=ACCOUNT, name="alice"), Principal(account=ACCOUNT, name="alice", session="s")
    change_access(tmp_path, with_alice)
    assert book.document.users
    assert (book.grants(alice).own, book.grants(alice).bound) == (None, None)
    for to in ("user/alice", "role/alice", ""):
        change_access(tmp_path, lambda known, to=to: put_policy(known, policy(to)))  # type: ignore[misc]
    assert book.document.policies
    assert [found and found[0].name for found in (book.grants(alice).own, book.grants(alice).bound)] == ["p", "p"]
    assert book.grants(role).own is not None
    change_access(tmp_path, lambda known: drop_policy(known, policy("role/alice")))
    assert len(book.document.policies) == 2
    assert book.grants(role).own is None
    assert book.grants(Principal(account=OTHER, name="alice")).bound is None


def policy(to: str) -> AttachedPolicy:
    return AttachedPolicy(account=ACCOUNT, to=to, name="p", document=ALLOW)


def test_a_broken_file_changes_nothing_and_is_told(
    book: CredentialBook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = book.default
    (tmp_path / FILE_NAME).write_text("{")
    assert book.find(before.access_key) == before
    assert "what the credentials file said before stays in force" in caplog.text
    with pytest.raises(BadCredentials):
        change_access(tmp_path, with_alice)


def test_what_is_not_known_in_the_file_is_refused(tmp_path: Path) -> None:
    CredentialBook.open(tmp_path, ACCOUNT)
    content = json.loads((tmp_path / FILE_NAME).read_text())
    for changed in (
        {**content, "groups": []},
        {**content, "users": [{"account": ACCOUNT, "name": "a", "mfa": True}]},
        {**content, "policies": [{"account": ACCOUNT, "to": "", "name": "p", "document": {"Version": "x"}}]},
        {**content, "accounts": [{"id": 7}]},
    ):
        (tmp_path / FILE_NAME).write_text(json.dumps(changed))
        with pytest.raises(BadCredentials):
            read_access(tmp_path / FILE_NAME)


def test_changes_at_once_take_turns(book: CredentialBook, tmp_path: Path) -> None:
    def make(number: int) -> None:
        change_access(tmp_path, lambda known: add_user(known, User(account=ACCOUNT, name=f"user-{number}")))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(24)))
    assert len(book.document.users) == 24


def test_sessions_outlive_a_rotated_key_but_not_the_seal(tmp_path: Path) -> None:
    old = Credentials(access_key="AK", secret_key="sk", account=ACCOUNT)
    (tmp_path / FILE_NAME).write_text(
        json.dumps({"credentials": [{"access_key": "AK", "secret_key": "sk", "account": ACCOUNT}]})
    )
    book = CredentialBook.open(tmp_path, ACCOUNT)  # of an older version: sealed with its first secret
    session = issue_session(book, f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", 1000.0)
    change_access(tmp_path, lambda known: add_key(known, new_key(ACCOUNT, FIRST_USER, 1.0)))
    assert book.find("AK") == old
    with pytest.raises(BadToken):  # which may be given up from now on
        open_session(book, session.credentials.access_key, session.token, 0.0)
    again = issue_session(book, f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", 1000.0)
    change_access(tmp_path, lambda known: remove_keys(known, frozenset({"AK"})))
    assert book.find("AK") is None
    assert open_session(book, again.credentials.access_key, again.token, 0.0) == again


DOCUMENT = AccessDocument(credentials=(Credentials(access_key="AK", secret_key="s", account=ACCOUNT),))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda known: add_account(known, Account(id=ACCOUNT)), "exists already"),
        (lambda known: add_user(known, User(account=ACCOUNT, name=FIRST_USER)), "exists already"),
        (lambda known: add_user(known, User(account=OTHER, name="a")), f"there is no account {OTHER}"),
        (lambda known: add_key(known, new_key(ACCOUNT, "nobody", 0.0)), "there is no user nobody"),
        (lambda known: remove_user(known, ACCOUNT, FIRST_USER), "is the first user"),
        (lambda known: remove_keys(known, frozenset({"AK"})), "would have no key left that signs"),
        (lambda known: set_disabled(known, frozenset({"AK"}), True), "would have no key left that signs"),
        (lambda known: put_policy(known, policy("user/nobody")), "there is no user nobody"),
        (lambda known: drop_policy(known, policy("")), "there is no policy p"),
    ],
)
def test_changes_that_are_refused(change: object, told: str) -> None:
    assert callable(change)
    with pytest.raises(BadChange, match=told):
        change(DOCUMENT)


def test_a_user_has_a_few_keys_and_the_own_account_stands_first() -> None:
    document = DOCUMENT
    for number in range(1, MOST_KEYS):
        document = add_key(document, replace(new_key(ACCOUNT, FIRST_USER, 0.0), access_key=f"AK{number}"))
    with pytest.raises(BadChange, match="which is the most"):
        add_key(document, new_key(ACCOUNT, FIRST_USER, 0.0))
    other = add_key(add_account(DOCUMENT, Account(id=OTHER)), new_key(OTHER, FIRST_USER, 0.0))
    rotated = remove_keys(add_key(other, new_key(ACCOUNT, FIRST_USER, 0.0)), frozenset({"AK"}))
    assert rotated.own_account == ACCOUNT
    assert "secret" not in repr(rotated)
