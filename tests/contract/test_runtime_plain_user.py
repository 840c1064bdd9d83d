"""The sandbox keeps its promises for a user without any right: the same tests, run as one."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plain_user import PLAIN_USER

_ROOT = Path(__file__).parents[2]
_MODULES = [
    "test_runtime",
    "test_runtime_hostile",
    "test_runtime_images",
    "test_runtime_isolation",
    "test_runtime_misuse",
    "test_sandbox",
    "test_sandbox_root",
]


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory of the plain user's."""
    home = Path(tempfile.mkdtemp(prefix="sagestone-plain-user-"))
    os.chown(home, PLAIN_USER, PLAIN_USER)
    yield home
    shutil.rmtree(home)


@pytest.mark.timeout(900)
def test_the_runtime_contract_holds_for_a_plain_user(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("these tests run as a plain user already")
    command = [sys.executable, "-m", "tests.plain_user", sys.executable, "-m", "pytest", "-k", "sandbox"]
    command += [f"tests/contract/{module}.py" for module in _MODULES]
    command += ["-p", "no:cacheprovider", f"--basetemp={home}/tmp", "-o", "addopts=", "-rs", "--tb=short"]
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"\b[1-9][0-9]+ passed", ran.stdout), ran.stdout
    skipped = [line for line in ran.stdout.splitlines() if line.startswith("SKIPPED")]
    assert all("does not limit" in line for line in skipped), ran.stdout
