"""What the training programs wrote down themselves, beside the service."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Account:
    """Of one host of one job."""

    starts: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)  # digests of what was read
    files: dict[str, str] = field(default_factory=dict)  # digests of what was made


def accounts(ledger: Path, job: str) -> dict[str, Account]:
    """By host; a host that never began has none."""
    return {path.name.removeprefix(f"{job}."): _read(path) for path in sorted(ledger.glob(f"{job}.algo-*"))}


def _read(path: Path) -> Account:
    account = Account()
    for line in path.read_text().splitlines():
        word, first, *_ = line.split()
        if word == "start":
            account.starts.append(first)
        elif word == "end":
            account.ends.append(first)
        elif word == "data":
            account.data.append(first)
        else:
            account.files[line.split()[2]] = first
    return account
