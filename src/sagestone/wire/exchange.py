"""One request and its answer, as the log and the metrics tell of it."""

import os

from msgspec import Struct

from sagestone.wire.call import Caller


class Exchange(Struct, kw_only=True):
    """Filled in by whoever answers: `service` and `operation` only once they are known to be ours, so that there are
    as many as we serve; `code` is the error's, "" for none; `account` and `user` only once the signature was checked.
    """

    request_id: str
    service: str = ""
    operation: str = ""
    code: str = ""
    account: str = ""
    user: str = ""  # `user/NAME` or `role/NAME/SESSION`, in the account

    @property
    def extra(self) -> dict[str, dict[str, object]]:
        """For a log record about it."""
        return {"facts": {"request_id": self.request_id, "account": self.account, "user": self.user}}

    def signed_by(self, caller: Caller) -> None:
        """Who asks is known now."""
        self.account, self.user = caller.account, str(caller.principal or "")


def new_request_id() -> str:
    """A random UUID (version 4), in a third of the time that the library's takes."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
