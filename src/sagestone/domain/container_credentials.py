"""The path by which a job's container asks the service for its role's credentials: it names the job, and is sealed."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Final

PREFIX: Final = "/v2/credentials/"


def credentials_path(key: str, job: str, created_at: float, account: str = "") -> str:
    """The path for the job with that key ("training/NAME"), made at that time; always the same for the same job.

    `account` is whose job it is, "" the home's own account.
    """
    body = base64.urlsafe_b64encode(json.dumps([job, created_at, account]).encode()).decode()
    return f"{PREFIX}{body}.{_seal(key, body)}"


def job_of_path(key: str, path: str) -> tuple[str, float, str] | None:
    """The job's key, creation and account of a path that was sealed with `key`; None for any other."""
    body, _, seal = path.removeprefix(PREFIX).partition(".")
    if not hmac.compare_digest(_seal(key, body).encode(), seal.encode("utf-8", "replace")):
        return None
    try:
        job, created_at, *account = json.loads(base64.urlsafe_b64decode(body))  # older paths name no account
    except (binascii.Error, ValueError, TypeError):
        return None
    return str(job), float(created_at), str(account[0]) if account else ""


def _seal(key: str, body: str) -> str:
    return hmac.new(key.encode(), body.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
