"""The document behind `credentials.json`: accounts, users, keys and policies; and how it is changed."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sagestone.domain.principal import FIRST_USER

#: Keys of one user, disabled ones included: enough to hand over to the next, as on AWS.
MOST_KEYS: Final = 5

_LETTERS: Final = string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """One access key of a user of an account; `created_at` is in epoch seconds, 0 where it is not known."""

    access_key: str
    secret_key: str
    account: str
    user: str = FIRST_USER
    disabled: bool = False
    created_at: float = 0.0

    def __repr__(self) -> str:
        """Without the secret, so that it never reaches a log."""
        return f"Credentials(access_key={self.access_key!r}, account={self.account!r}, user={self.user!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account beside the home's own."""

    id: str
    name: str = ""
    created_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user who was made; every account's first is there without."""

    account: str
    name: str
    created_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedPolicy:
    """A policy document and to whom in an account it is attached: `user/NAME`, `role/NAME`, or "": the account."""

    account: str
    to: str
    name: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDocument:
    """Everything in the file. The first key is one of the home's own account. `seal` makes session tokens good."""

    credentials: tuple[Credentials, ...]
    seal: str = ""
    accounts: tuple[Account, ...] = ()
    users: tuple[User, ...] = ()
    policies: tuple[AttachedPolicy, ...] = ()

    def __repr__(self) -> str:
        """Without the seal."""
        return f"AccessDocument(credentials={self.credentials!r}, accounts={self.accounts!r})"

    @property
    def own_account(self) -> str:
        """The home's own account."""
        return self.credentials[0].account

    def has_account(self, account: str) -> bool:
        """Whether the account exists."""
        return account == self.own_account or any(each.id == account for each in self.accounts)

    def user_names(self, account: str) -> list[str]:
        """The users of an account, the first one first."""
        named = [each.name for each in self.users if each.account == account]
        return list(dict.fromkeys([FIRST_USER, *named]))

    def keys_of(self, account: str, user: str) -> list[Credentials]:
        """The keys of a user, oldest first."""
        return [each for each in self.credentials if (each.account, each.user) == (account, user)]


class BadChange(Exception):
    """A change of accounts, users or keys that is refused; the text says why."""


def new_key(account: str, user: str, now: float) -> Credentials:
    """Keys of the usual form: `AKIA` and 16 of A-Z2-7, a secret of 40 characters."""
    key = "AKIA" + "".join(secrets.choice(_LETTERS) for _ in range(16))
    return Credentials(access_key=key, secret_key=secrets.token_urlsafe(30), account=account, user=user, created_at=now)


def add_account(document: AccessDocument, account: Account) -> AccessDocument:
    """Another account; raises BadChange for an id that is taken."""
    if document.has_account(account.id):
        raise BadChange(f"the account {account.id} exists already")
    return replace(document, accounts=(*document.accounts, account))


def add_user(document: AccessDocument, user: User) -> AccessDocument:
    """Another user; raises BadChange for an account that is not there or a name that is taken."""
    _need_account(document, user.account)
    if user.name in document.user_names(user.account):
        raise BadChange(f"the user {user.name} exists already in account {user.account}")
    return replace(document, users=(*document.users, user))


def add_key(document: AccessDocument, key: Credentials) -> AccessDocument:
    """Another key of a user; raises BadChange when they have MOST_KEYS."""
    need_user(document, key.account, key.user)
    if len(document.keys_of(key.account, key.user)) >= MOST_KEYS:
        raise BadChange(f"the user {key.user} has {MOST_KEYS} keys, which is the most: remove one first")
    return replace(document, credentials=(*document.credentials, key))


def set_disabled(document: AccessDocument, access_keys: frozenset[str], disabled: bool) -> AccessDocument:
    """These keys sign nothing any more, or do again."""
    changed = (
        replace(each, disabled=disabled) if each.access_key in access_keys else each for each in document.credentials
    )
    return _kept(replace(document, credentials=tuple(changed)))


def remove_keys(document: AccessDocument, access_keys: frozenset[str]) -> AccessDocument:
    """These keys are gone."""
    left = tuple(each for each in document.credentials if each.access_key not in access_keys)
    return _kept(replace(document, credentials=left), document.own_account)


def remove_user(document: AccessDocument, account: str, user: str) -> AccessDocument:
    """The user is gone, with keys and policies; raises BadChange for an account's first user."""
    need_user(document, account, user)
    if user == FIRST_USER:
        raise BadChange(f"{FIRST_USER} is the first user of account {account} and stays; disable or remove its keys")
    keys = frozenset(each.access_key for each in document.keys_of(account, user))
    left = remove_keys(document, keys)
    return replace(
        left,
        users=tuple(each for each in left.users if (each.account, each.name) != (account, user)),
        policies=tuple(each for each in left.policies if (each.account, each.to) != (account, f"user/{user}")),
    )


def put_policy(document: AccessDocument, policy: AttachedPolicy) -> AccessDocument:
    """Attach a policy, in the place of one of the same name; raises BadChange."""
    _need_account(document, policy.account)
    kind, _, name = policy.to.partition("/")
    if kind == "user":
        need_user(document, policy.account, name)
    return replace(document, policies=(*_other_policies(document, policy), policy))


def drop_policy(document: AccessDocument, policy: AttachedPolicy) -> AccessDocument:
    """Take a policy away; raises BadChange where there is none of that name."""
    left = _other_policies(document, policy)
    if len(left) == len(document.policies):
        raise BadChange(f"there is no policy {policy.name} at {policy.to or 'the account'} in account {policy.account}")
    return replace(document, policies=left)


def need_user(document: AccessDocument, account: str, user: str) -> None:
    """Raises BadChange for a user who does not exist."""
    _need_account(document, account)
    if user not in document.user_names(account):
        raise BadChange(
            f"there is no user {user} in account {account}; known: {', '.join(document.user_names(account))}"
        )


def _need_account(document: AccessDocument, account: str) -> None:
    if not document.has_account(account):
        known = ", ".join([document.own_account, *(each.id for each in document.accounts)])
        raise BadChange(f"there is no account {account}; known: {known}")


def _other_policies(document: AccessDocument, policy: AttachedPolicy) -> tuple[AttachedPolicy, ...]:
    place = (policy.account, policy.to, policy.name)
    return tuple(each for each in document.policies if (each.account, each.to, each.name) != place)


def _kept(document: AccessDocument, own_account: str | None = None) -> AccessDocument:
    """Refuse to leave the home's own account without a key that signs: nothing here could use the service any more."""
    own = own_account or document.own_account
    good = [each for each in document.credentials if each.account == own and not each.disabled]
    if not good:
        raise BadChange(f"account {own} would have no key left that signs: make another first")
    first = [each for each in document.credentials if each.account == own]
    return replace(document, credentials=(*first, *(each for each in document.credentials if each.account != own)))
