"""A request that was understood: who calls what with which parameters."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from sagestone.domain.principal import Principal


class Caller(Struct, frozen=True, kw_only=True):
    """Who signed the request; `access_key` is "" and `principal` None when the service runs without authentication."""

    account: str
    access_key: str
    region: str
    principal: Principal | None = None


class Call(Struct, frozen=True, kw_only=True):
    """One operation call. `parameters` satisfy the service model: unknown members are gone, times are epoch seconds
    (float), every constraint holds. `service` is the signing name: sagemaker, logs."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    caller: Caller
    request_id: str
