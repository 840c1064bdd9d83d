"""The answer to services of the query protocol (STS, IAM …), which are not served: XML that their clients read."""

from xml.sax.saxutils import escape


def query_error_body(code: str, message: str, request_id: str) -> bytes:
    """An `ErrorResponse` with the caller at fault."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"</Error><RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
    ).encode("utf-8", "replace")
