"""A start, and each command, loads what it needs: a module that is loaded for nothing is time that everybody waits.

Time itself is measured by `bench start`; here the modules are counted by their names.
"""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_IMPORTED = re.compile(r"^import time:[ \d]+\|[ \d]+\| +(\S+)$", re.MULTILINE)

#: Used by some requests and some commands, and imported there.
RARE = {
    *("awscrt", "boto3", "botocore.session", "cbor2", "docker", "google_crc32c", "obstore", "pg8000", "pydantic"),
    *("prometheus_client", "pygments", "regex", "requests", "urllib3"),
}
#: What only a service needs.
SERVICE = {
    "aiohttp",
    "cryptography",
    "sqlite3",
    "sagestone.compose.service",
    "sagestone.control",
    "sagestone.operations",
}


def imported(report: str) -> set[str]:
    """The modules in a report of `python -X importtime`."""
    names = set(_IMPORTED.findall(report))
    assert "sagestone.cli.app" in names
    return names


def sagestone(*words: str) -> list[str]:
    """A command that reports its imports."""
    return [sys.executable, "-X", "importtime", "-m", "sagestone", *words]


def test_a_service_that_has_started(tmp_path: Path) -> None:
    home, report = tmp_path / "home", tmp_path / "imports"
    command = sagestone("up", "--home", str(home), "--runtime", "sandbox", "--listen", "127.0.0.1:0")
    with report.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("Sagestone listens on")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert imported(report.read_text()) & (RARE | {"rich", "importlib.metadata._meta"}) == set()


@pytest.mark.parametrize(
    ("words", "needless"),
    [
        (("version",), RARE | SERVICE | {"asyncio", "rich", "importlib.metadata"}),
        (("env",), RARE | SERVICE | {"asyncio", "rich"}),
        (("--help",), RARE - {"pygments"} | SERVICE - {"sqlite3"}),
    ],
    ids=["version", "env", "help"],
)
def test_a_command(words: tuple[str, ...], needless: set[str], tmp_path: Path) -> None:
    environment = {"SAGESTONE_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(sagestone(*words), capture_output=True, text=True, check=True, env=environment, timeout=120)
    assert imported(done.stderr) & needless == set()
