"""Why a job failed, and whose fault it was."""

import re
from dataclasses import dataclass
from typing import Final, Literal

Fault = Literal["algorithm", "client", "internal"]

#: The word that opens a FailureReason for each fault (DescribeTrainingJob and DescribeTransformJob, observed).
PREFIX: dict[Fault, str] = {"algorithm": "AlgorithmError", "client": "ClientError", "internal": "InternalServerError"}

#: Longest FailureReason of a job (shape FailureReason).
LONGEST_REASON = 1024

_LONG_WORD: Final = re.compile(r"(\S{100})\S{21,}(\S{40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A fault with the sentence that explains it; `reason` is what Describe shows."""

    fault: Fault
    message: str

    @property
    def reason(self) -> str:
        """`AlgorithmError: …`, `ClientError: …` or `InternalServerError: …`, at most 1024 characters."""
        return shortened(f"{PREFIX[self.fault]}: {self.message}", LONGEST_REASON)


class JobFailure(Exception):
    """Raised on the instance side when a job cannot go on; carries the Failure that becomes its FailureReason."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        said = message.encode(errors="replace").decode()  # a name on disk may be no text
        self.failure = Failure(fault=fault, message=said)


def shortened(text: str, most: int) -> str:
    """The text in at most so many characters: long words lose their middle first, so that what follows is seen."""
    if len(text) > most:
        text = _LONG_WORD.sub(r"\1…\2", text)
    return text if len(text) <= most else text[: most - 1] + "…"
