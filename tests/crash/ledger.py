"""What the training programs told themselves: in the ledger beside the service, and in their logs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TOLD = "told "


@dataclass(slots=True)
class Account:
    """Of one host of one job; of a job that ran more than once, every run in turn."""

    starts: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)  # digests of what was read
    steps: list[tuple[str, str]] = field(default_factory=list)  # of checkpoints: "found" or "left", and which
    caches: list[str] = field(default_factory=list)  # of warm pools: whose cache was found
    files: dict[str, str] = field(default_factory=dict)  # digests of what was made, by the last run that did


def accounts(ledger: Path, job: str) -> dict[str, Account]:
    """By host; a host that never began has none."""
    files = sorted(ledger.glob(f"{job}.algo-*"))
    return {path.name.removeprefix(f"{job}."): _read(path.read_text().splitlines()) for path in files}


def accounts_by_log(streams: Mapping[str, Sequence[str]]) -> dict[str, Account]:
    """The same from the log of a job, by stream, where there is no ledger."""
    told = {
        stream.partition("/")[2].rpartition("-")[0]: [line.removeprefix(_TOLD) for line in lines if _TOLD in line[:5]]
        for stream, lines in streams.items()
    }
    return {host: _read(lines) for host, lines in told.items() if lines}


def _read(lines: Iterable[str]) -> Account:
    account = Account()
    for line in lines:
        word, *rest = line.split()
        first = rest.pop(0) if rest else ""  # of a file that found no room
        if word == "start":
            account.starts.append(first)
        elif word == "end":
            account.ends.append(first)
        elif word == "data":
            account.data.append(first)
        elif word in ("found", "left"):
            account.steps.append((word, first))
        elif word == "cache":
            account.caches.append(first)
        elif rest:
            account.files[rest[0]] = first
    return account
