"""`sagestone user …`: who may sign requests, and with which keys."""

from typing import Annotated, Any

import typer

from sagestone.cli.app import AsJson, Home
from sagestone.cli.exits import FAILED, USAGE, leave
from sagestone.cli.identity import AccountOption, change, known
from sagestone.cli.show import console, show_json
from sagestone.domain.names import is_user_name
from sagestone.wire.access_document import (
    AccessDocument,
    BadChange,
    Credentials,
    User,
    add_key,
    add_user,
    need_user,
    new_key,
    remove_keys,
    remove_user,
    set_disabled,
)

users_app = typer.Typer(
    no_args_is_help=True,
    help="Users and their access keys. A running service follows each change at once, without a restart.",
)

Name = Annotated[str, typer.Argument(help="The user's name.")]
Key = Annotated[str | None, typer.Option("--key", help="One access key; default all of the user's.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(users_app, name="user")


@users_app.command()
def create(name: Name, account: AccountOption = None, home: Home = None, as_json: AsJson = False) -> None:
    """Make a user with a first key, and print it; without a policy they may do everything in their account."""
    if not is_user_name(name):
        leave(USAGE, f"{name!r} is no name of a user: letters, digits and _+=,.@- are allowed, 64 at most")

    def how(document: AccessDocument, now: float) -> AccessDocument:
        whose = account or document.own_account
        made = add_user(document, User(account=whose, name=name, created_at=now))
        return add_key(made, new_key(whose, name, now))

    _show_new(change(home, how), account, name, as_json)


@users_app.command("list")
def list_(account: AccountOption = None, home: Home = None, as_json: AsJson = False) -> None:
    """List users, their keys and policies, of one account or of all."""
    document, _ = known(home)
    accounts = [account] if account else [document.own_account, *(each.id for each in document.accounts)]
    rows: list[dict[str, Any]] = [
        {
            "account": each,
            "user": name,
            "keys": [_document(key) for key in document.keys_of(each, name)],
            "policies": [p.name for p in document.policies if (p.account, p.to) == (each, f"user/{name}")],
        }
        for each in accounts
        for name in document.user_names(each)
    ]
    if as_json:
        show_json(rows)
        return
    for row in rows:
        keys = ", ".join(f"{key['access_key']}{' (disabled)' if key['disabled'] else ''}" for key in row["keys"])
        policies = ", ".join(row["policies"]) or "everything in the account"
        console.print(f"{row['account']}/{row['user']}  {keys or 'no keys'}  {policies}", markup=False)


@users_app.command()
def keys(
    name: Name,
    new: Annotated[bool, typer.Option("--new", help="Make another key and print it with its secret.")] = False,
    account: AccountOption = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List a user's keys, or make another. To rotate: make one, hand it over, then remove the old one."""
    if new:

        def how(document: AccessDocument, now: float) -> AccessDocument:
            return add_key(document, new_key(account or document.own_account, name, now))

        _show_new(change(home, how), account, name, as_json)
        return
    document, _ = known(home)
    try:
        need_user(document, account or document.own_account, name)
    except BadChange as error:
        leave(FAILED, str(error))
    found = [_document(key) for key in document.keys_of(account or document.own_account, name)]
    if as_json:
        show_json(found)
        return
    for key in found:
        console.print(f"{key['access_key']}{'  disabled' if key['disabled'] else ''}")


@users_app.command()
def disable(name: Name, key: Key = None, account: AccountOption = None, home: Home = None) -> None:
    """Let a user's keys, or one of them, sign nothing any more; `enable` takes it back."""
    _switch(name, key, account, home, True)


@users_app.command()
def enable(name: Name, key: Key = None, account: AccountOption = None, home: Home = None) -> None:
    """Let disabled keys sign again."""
    _switch(name, key, account, home, False)


@users_app.command()
def remove(name: Name, key: Key = None, account: AccountOption = None, home: Home = None) -> None:
    """Remove a user with keys and policies, or one key of theirs. What they made stays."""

    def how(document: AccessDocument, now: float) -> AccessDocument:
        whose = account or document.own_account
        if key is None:
            return remove_user(document, whose, name)
        return remove_keys(document, _chosen(document, whose, name, key))

    change(home, how)
    console.print(f"removed {key or name}")


def _switch(name: str, key: str | None, account: str | None, home: Any, disabled: bool) -> None:
    def how(document: AccessDocument, now: float) -> AccessDocument:
        return set_disabled(document, _chosen(document, account or document.own_account, name, key), disabled)

    change(home, how)
    console.print(f"{'disabled' if disabled else 'enabled'} {key or f'all keys of {name}'}")


def _chosen(document: AccessDocument, account: str, name: str, key: str | None) -> frozenset[str]:
    need_user(document, account, name)
    theirs = {each.access_key for each in document.keys_of(account, name)}
    if key is not None and key not in theirs:
        raise BadChange(f"{key} is no key of the user {name} in account {account}")
    return frozenset(theirs if key is None else {key})


def _show_new(document: AccessDocument, account: str | None, name: str, as_json: bool) -> None:
    """The newest key, this one time with its secret."""
    made = document.keys_of(account or document.own_account, name)[-1]
    if as_json:
        show_json({**_document(made), "secret_key": made.secret_key})
        return
    console.print(f"access key  {made.access_key}\nsecret key  {made.secret_key}", markup=False)
    console.print(f"use it with: sagestone env --user {made.account}/{name}", markup=False)


def _document(key: Credentials) -> dict[str, Any]:
    return {"access_key": key.access_key, "disabled": key.disabled, "created_at": key.created_at}
