"""`sagestone account …`: accounts beside the home's own, each with its own algorithms, jobs, logs and buckets."""

import re
import secrets
from typing import Annotated

import typer

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.exits import FAILED, USAGE, leave
from sagestone.cli.identity import change, known
from sagestone.cli.show import console, show_json
from sagestone.domain.principal import FIRST_USER
from sagestone.wire.access_document import AccessDocument, Account, add_account, add_key, new_key

accounts_app = typer.Typer(
    no_args_is_help=True,
    help="Accounts: each has resources, logs and buckets of its own; machine and images are shared by turns.",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(accounts_app, name="account")


@accounts_app.command()
def create(
    id_: Annotated[str | None, typer.Argument(metavar="[ID]", help="Twelve digits; default a new number.")] = None,
    name: Annotated[str, typer.Option("--name", help="A word for people.")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make an account with its first user, and print the user's keys."""
    account = id_ or "".join(secrets.choice("123456789") for _ in range(12))
    if not re.fullmatch("[0-9]{12}", account):
        leave(USAGE, f"{account!r} is no account: expected twelve digits")
    if settings_of(home).s3_endpoint:
        leave(FAILED, "with another S3 endpoint (s3_endpoint) accounts could not be kept apart: its keys reach all")

    def how(document: AccessDocument, now: float) -> AccessDocument:
        made = add_account(document, Account(id=account, name=name, created_at=now))
        return add_key(made, new_key(account, FIRST_USER, now))

    key = change(home, how).keys_of(account, FIRST_USER)[-1]
    if as_json:
        show_json({"account": account, "access_key": key.access_key, "secret_key": key.secret_key})
        return
    console.print(f"account     {account}\naccess key  {key.access_key}\nsecret key  {key.secret_key}", markup=False)
    console.print(f"use it with: sagestone env --user {account}/{FIRST_USER}", markup=False)


@accounts_app.command("list")
def list_(home: Home = None, as_json: AsJson = False) -> None:
    """List the accounts, the home's own first."""
    document, _ = known(home)
    accounts = [Account(id=document.own_account, name="the home's own"), *document.accounts]
    rows = [
        {"account": each.id, "name": each.name, "users": document.user_names(each.id),
         "bounds": [p.name for p in document.policies if (p.account, p.to) == (each.id, "")]}
        for each in accounts
    ]  # fmt: skip
    if as_json:
        show_json(rows)
        return
    for row in rows:
        bounds = ", ".join(row["bounds"])
        bound = f"  bound by {bounds}" if bounds else ""
        console.print(f"{row['account']}  {row['name']}  users: {', '.join(row['users'])}{bound}", markup=False)
