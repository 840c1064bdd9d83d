"""Serves a FastFile channel: `python -m sagestone.agent.fast_file LOCK [all]`, its Order on standard input.

LOCK is the number of an open, locked file, which is held as long as the process lives and tells its id. It is told
everything on standard input, credentials too, and ends when the files are unmounted. `all`: not where other users could
not read them.
"""

import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sagestone.agent.build import build_s3
from sagestone.agent.parts import S3Part
from sagestone.channels.fast_file.server import Places, Started, lock_content, serve_channel
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to serve: a channel for one host, from that S3, in that directory of that mount namespace."""

    s3: S3Part
    channel: Channel
    share: Share
    directory: str
    namespace: str | None = None


def main() -> None:
    """Serve until nobody can read any more."""
    os.umask(0o022)
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    sys.stdin.close()
    os.pwrite(int(sys.argv[1]), lock_content(os.getpid(), order.namespace), 0)
    places = Places(Path(order.directory), order.channel.name)
    try:
        serve_channel(
            build_s3(order.s3),
            order.channel,
            order.share,
            places,
            order.namespace,
            _tell,
            for_all="all" in sys.argv[2:],
        )
    except Exception:  # noqa: BLE001  said in agent.log; the agent sees that the lock is free
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)  # whatever may still be reading ahead


def _tell(started: Started) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(started) + b"\n")
    sys.stdout.buffer.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())  # the agent reads to the end of what we say


if __name__ == "__main__":
    main()
