"""One request and its answer, as the log and the metrics tell of it."""

from dataclasses import dataclass

from sagestone.wire.call import Caller


@dataclass(slots=True, kw_only=True)
class Exchange:
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
