"""Who calls: a user of an account, or a role of it that somebody assumed."""

from dataclasses import dataclass
from typing import Final, Literal

#: The user that every account has from the start.
FIRST_USER: Final = "sagestone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller who is known; `session` is that of an assumed role, "" for a user."""

    account: str
    name: str
    session: str = ""

    @property
    def kind(self) -> Literal["user", "role"]:
        return "role" if self.session else "user"

    def __str__(self) -> str:
        """`user/NAME` or `role/NAME/SESSION`: who it is within the account."""
        return f"role/{self.name}/{self.session}" if self.session else f"user/{self.name}"

    def arn(self, partition: str) -> str:
        """`arn:aws:iam::ACCOUNT:user/NAME`, or `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`."""
        if self.session:
            return f"arn:{partition}:sts::{self.account}:assumed-role/{self.name}/{self.session}"
        return f"arn:{partition}:iam::{self.account}:user/{self.name}"
