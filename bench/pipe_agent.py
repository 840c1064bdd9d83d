"""Feeds one channel in Pipe mode as an agent does, in a process of its own: `python -m bench.pipe_agent < ORDER`."""

import sys
from pathlib import Path

import msgspec

from sagestone.agent.build import build_s3
from sagestone.agent.parts import S3Part
from sagestone.channels.pipe.channel import PipeChannel, PipePlaces
from sagestone.channels.pipe.remote import Fetchers
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share


class Order(msgspec.Struct, kw_only=True):
    """What to feed, from where, and below which directory."""

    s3: S3Part
    channel: Channel
    directory: str


def main() -> None:
    """Say `ready` when epoch 0 can be opened, feed until standard input ends, then say how large the process became."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    root = Path(order.directory)
    (root / "opt_ml" / "input" / "data").mkdir(parents=True)
    places = PipePlaces(opt_ml=root / "opt_ml", scratch=root / "scratch", spools=root / "scratch")
    part = PipeChannel(build_s3(order.s3), order.channel, Share(number=1, count=1), places, Fetchers(1))
    part.start(lambda: None)
    print("ready", flush=True)
    sys.stdin.buffer.read()
    failure = part.failure()
    if failure is not None:
        print(failure.reason, file=sys.stderr)
    part.stop()
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print(int(peak.split()[1]) / 1024, flush=True)


if __name__ == "__main__":
    main()
