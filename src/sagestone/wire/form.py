"""The two forms of bodies that the JSON services understand: AWS JSON, and CBOR (Smithy's protocol rpc-v2-cbor)."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from sagestone.wire.body_values import MOST_VALUES, too_many_in_cbor, too_many_in_json
from sagestone.wire.cbor import BadCbor, cbor_time, read_cbor, write_cbor
from sagestone.wire.errors import SerializationException
from sagestone.wire.signed_request import SignedRequest

Shaper = Callable[[Any], Any]

#: The protocol's name in its header, and the path that names its operation.
RPC_V2_CBOR: Final = "rpc-v2-cbor"
PROTOCOL_HEADER: Final = "smithy-protocol"
_PATH = re.compile(r"/service/([A-Za-z0-9_.]{1,128})/operation/([A-Za-z0-9_]{1,128})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How bodies are read (raises SerializationException) and written; `scalars` shape values by the kind of shape."""

    content_type: str
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    scalars: Mapping[str, Shaper]
    headers: Mapping[str, str] = field(default_factory=dict)  # of every answer


def form_of(request: SignedRequest) -> Form:
    """The form of a request, which is that of its answer too."""
    return CBOR if request.headers.get(PROTOCOL_HEADER) == RPC_V2_CBOR else JSON


def target_of(request: SignedRequest) -> str:
    """`PREFIX.Operation`, as X-Amz-Target says it or, for CBOR, the path; "" where neither does."""
    if form_of(request) is JSON:
        return request.headers.get("x-amz-target", "")
    found = _PATH.fullmatch(request.raw_path)
    return f"{found[1]}.{found[2]}" if found else ""


def _read_json(body: bytes) -> Any:
    if too_many_in_json(body):
        raise _too_many()
    try:
        return orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError as problem:
        raise SerializationException(f"The body is not valid JSON: {problem}") from None


def _read_cbor(body: bytes) -> Any:
    if too_many_in_cbor(body):
        raise _too_many()
    try:
        return read_cbor(body) if body else {}
    except BadCbor as problem:
        raise SerializationException(str(problem)) from None


def _too_many() -> SerializationException:
    return SerializationException(f"The body has more than {MOST_VALUES} values, the most that this service reads.")


def _timestamp(value: Any) -> float:
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return round(float(value), 3)


def _real_number(value: Any) -> float | str:
    number = float(value)
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def _blob(value: Any) -> str:
    return base64.b64encode(value).decode()


JSON: Final = Form(
    content_type="application/x-amz-json-1.1",
    read=_read_json,
    write=orjson.dumps,
    scalars={
        "timestamp": _timestamp,
        "float": _real_number,
        "double": _real_number,
        "blob": _blob,
        "integer": int,
        "long": int,
    },
)

CBOR: Final = Form(
    content_type="application/cbor",
    read=_read_cbor,
    write=write_cbor,
    scalars={"timestamp": cbor_time, "float": float, "double": float, "integer": int, "long": int},
    headers={PROTOCOL_HEADER: RPC_V2_CBOR},
)
