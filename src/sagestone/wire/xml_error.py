"""Errors in XML, for the clients of services that do not speak AWS JSON."""

from xml.sax.saxutils import escape

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def query_error_body(code: str, message: str, request_id: str) -> bytes:
    """An `ErrorResponse` of the query protocol (STS, IAM …), the caller at fault."""
    return (
        f"{_HEAD}<ErrorResponse><Error><Type>Sender</Type>{_what(code, message)}</Error>"
        f"<RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
    ).encode("utf-8", "replace")


def rest_error_body(code: str, message: str, request_id: str) -> bytes:
    """An `Error` as S3 writes it."""
    return f"{_HEAD}<Error>{_what(code, message)}<RequestId>{escape(request_id)}</RequestId></Error>".encode(
        "utf-8", "replace"
    )


def _what(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
