"""A request that was understood: who calls what with which parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed the request; `access_key` is "" when the service runs without authentication."""

    account: str
    access_key: str
    region: str
    arn: str = ""  # of the assumed role; "" for the service's own keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation call. `parameters` satisfy the service model: unknown members are gone, times are epoch seconds
    (float), every constraint holds. `service` is the signing name: sagemaker, logs."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    caller: Caller
    request_id: str
