"""Who a command acts as: the home's first user, or the one that the setting `user` names."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from sagestone.cli.app import settings_of
from sagestone.cli.exits import FAILED, UNAVAILABLE, leave
from sagestone.settings import Settings
from sagestone.wire.access_document import AccessDocument, BadChange, Credentials, need_user
from sagestone.wire.access_file import change_access
from sagestone.wire.credentials import CredentialBook

AccountOption = Annotated[str | None, typer.Option("--account", help="The account; default the home's own.")]


def keys_in_use(settings: Settings) -> Credentials:
    """The keys that a command signs with; leaves with exit code 3 when their user has none that sign."""
    book = CredentialBook.open(settings.home, settings.account)
    if not settings.user:
        return book.default
    document = book.document
    account, _, name = settings.user.rpartition("/")
    account = account or document.own_account
    try:
        need_user(document, account, name)
    except BadChange as error:
        leave(UNAVAILABLE, str(error))
    good = [key for key in document.keys_of(account, name) if not key.disabled]
    if not good:
        leave(UNAVAILABLE, f"the user {name} of account {account} has no key that signs: `sagestone user keys --new`")
    return good[-1]


def known(home: Path | None) -> tuple[AccessDocument, Settings]:
    """What is known of accounts, users and keys; made when there is nothing yet."""
    settings = settings_of(home)
    return CredentialBook.open(settings.home, settings.account).document, settings


def change(home: Path | None, how: Callable[[AccessDocument, float], AccessDocument]) -> AccessDocument:
    """Change what is known; a running service follows at once. `how` gets the time. Leaves with 1 when refused."""
    _, settings = known(home)
    try:
        return change_access(settings.home, lambda document: how(document, round(time.time(), 3)))
    except BadChange as error:
        leave(FAILED, str(error))
