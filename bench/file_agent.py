"""Fetches one channel in File mode as an agent does, in a process of its own: `python -m bench.file_agent < ORDER`."""

import sys
from pathlib import Path

import msgspec

from sagestone.agent.build import build_s3
from sagestone.agent.parts import S3Part
from sagestone.channels.downloads import Progress
from sagestone.channels.file import fetch_channel
from sagestone.channels.room import Room
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share


class Order(msgspec.Struct, kw_only=True):
    """What to fetch, from where, and below which directory."""

    s3: S3Part
    channel: Channel
    directory: str


def main() -> None:
    """Say `ready`, take an order, fetch, then say how large the process became, in MiB."""
    print("ready", flush=True)
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    root, share = Path(order.directory), Share(number=1, count=1)
    fetch_channel(
        build_s3(order.s3),
        order.channel,
        share,
        root / "data",
        root / "sidecar",
        root / "journal",
        Room(limit=None),
        lambda: None,
        Progress(),
    )
    print(peak_mib("self"))


def peak_mib(process: str) -> float:
    """The most memory that a process (its id, or `self`) had resident."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmHWM:")).split()[1]) / 1024


if __name__ == "__main__":
    main()
