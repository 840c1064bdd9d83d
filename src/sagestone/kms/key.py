"""The documents of the key store."""

from dataclasses import dataclass, field
from typing import Literal

KeyState = Literal["Enabled", "Disabled", "PendingDeletion"]
KeyManager = Literal["CUSTOMER", "AWS"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key and its state; times are epoch seconds. `material` is what encrypts, sealed under the root key (base64)."""

    id: str
    account: str
    created_at: float
    description: str = ""
    state: KeyState = "Enabled"
    manager: KeyManager = "CUSTOMER"
    deletion_at: float | None = None  # while PendingDeletion
    tags: dict[str, str] = field(default_factory=dict)
    material: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name (`alias/…`) of a key, unique in its account."""

    account: str
    name: str
    key_id: str
    created_at: float
    updated_at: float
