"""What is put into PostgreSQL's words, and the setting that says where it is."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sagestone.store.postgres.address import BadAddress, read_address
from sagestone.store.postgres.dialect import in_postgres


def test_the_shared_sql_in_postgres_words() -> None:
    assert in_postgres("SELECT a FROM b WHERE c = ? AND d = ? /* FOR UPDATE */") == (
        "SELECT a FROM b WHERE c = $1 AND d = $2 FOR UPDATE"
    )
    assert in_postgres("SELECT instr(a, ?) > 0") == "SELECT strpos(a, $1) > 0"
    assert "clock_timestamp()" in in_postgres("SELECT epoch() + ?")


def test_an_address_is_read_whole() -> None:
    address = read_address("postgresql://me:p%40ss@db.example:6543/state?sslmode=require")
    assert (address.host, address.port, address.database, address.user) == ("db.example", 6543, "state", "me")
    assert address.arguments()["password"] == "p@ss"
    assert address.arguments()["ssl_context"] is True
    socket = read_address("postgres://me@localhost/state?host=/run/postgresql").arguments()
    assert (socket["host"], socket["unix_sock"]) == (None, "/run/postgresql/.s.PGSQL.5432")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://me@h/d", "expected a URL such as postgresql://"),
        ("postgresql://h/d", "no user"),
        ("postgresql://me@h", "no database"),
        ("postgresql://me@h:x/d", "no URL"),
        ("postgresql://me@h/d?sslmode=allow", "sslmode = 'allow'"),
        ("postgresql://me@h/d?connect_timeout=3", "unknown option connect_timeout"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(url: str, complaint: str) -> None:
    with pytest.raises(BadAddress, match=complaint):
        read_address(url)


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=8))
def test_a_password_is_shown_nowhere(password: str) -> None:
    from urllib.parse import quote

    address = read_address(f"postgresql://me:{quote(password, safe='')}@h/d")
    assert address.password == password
    assert password not in address.shown
    assert password not in repr(address)


@pytest.mark.parametrize("sign", "/?#")
@pytest.mark.parametrize("before", ["canary", "1", "canary@1"])
def test_of_a_password_with_a_sign_that_ends_it_nothing_is_told(before: str, sign: str) -> None:
    with pytest.raises(BadAddress, match="%2F") as refused:
        read_address(f"postgresql://me:{before}{sign}canary@h/d")
    assert "canary" not in str(refused.value)
