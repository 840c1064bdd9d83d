"""Tokens of assumed roles: they open with their own keys, until their time is over, and cannot be made by others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.wire.credentials import CredentialBook, Credentials
from sagestone.wire.session_tokens import BadToken, issue_session, open_session

ARN = "arn:aws:sts::123456789012:assumed-role/r/s"


def book(secret: str = "secret") -> CredentialBook:
    return CredentialBook([Credentials(access_key="AKIA", secret_key=secret, account="123456789012")])


def kind(of: CredentialBook, access_key: str, token: str, now: float = 0.0) -> str:
    with pytest.raises(BadToken) as refused:
        open_session(of, access_key, token, now)
    return refused.value.kind


def test_a_session_is_found_again_until_it_ends() -> None:
    session = issue_session(book(), ARN, 1000.0)
    assert session.credentials.access_key.startswith("ASIA")
    assert open_session(book(), session.credentials.access_key, session.token, 999.0) == session
    assert kind(book(), session.credentials.access_key, session.token, 1000.0) == "expired"
    assert kind(book(), "AKIA", session.token) == "invalid"
    assert kind(book("another"), session.credentials.access_key, session.token) == "invalid"


def test_no_two_sessions_are_alike() -> None:
    one, other = (issue_session(book(), ARN, 1000.0) for _ in range(2))
    assert one.credentials.access_key != other.credentials.access_key
    assert one.credentials.secret_key != other.credentials.secret_key
    assert len(one.credentials.secret_key) == 40


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_token_is_refused(at: int, change: int) -> None:
    session = issue_session(book(), ARN, 1000.0)
    letters = bytearray(session.token.encode())
    letters[at % len(letters)] ^= change
    changed = letters.decode("latin-1")
    assert kind(book(), session.credentials.access_key, changed) == "invalid"


@pytest.mark.parametrize("token", ["", "x", "é", "AAAA", "A" * 5000])
def test_nonsense_is_refused(token: str) -> None:
    assert kind(book(), "ASIA", token) == "invalid"
