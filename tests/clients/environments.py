"""An environment of its own for each AWS client: what its pins say, made when first asked for, outside the sources.

`.cache/clients/NAME-HASH`, where the hash is that of the pins and of the Python: other pins are another environment.
"""

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).with_name("pins")
_CACHE = Path(__file__).parents[2] / ".cache" / "clients"
_PATIENCE_SECONDS = 900.0


def environment(name: str) -> Path:
    """The directory of that client's environment: `bin/` with its programs, `node_modules/` where it has such.

    Raises RuntimeError with what the installer said when it cannot be made.
    """
    directory = _CACHE / f"{name}-{_fingerprint(name)}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want it at once
        if not (directory / "whole").exists():
            shutil.rmtree(directory, ignore_errors=True)  # one that was interrupted
            _make(name, directory)
            (directory / "whole").touch()
    return directory


def _fingerprint(name: str) -> str:
    found = hashlib.sha256(f"{sys.base_prefix} {sys.version} {platform.machine()}".encode())
    for pins in sorted((PINS / name).iterdir()):
        found.update(pins.read_bytes())
    return found.hexdigest()[:12]


def _make(name: str, directory: Path) -> None:
    uv = [sys.executable, "-m", "uv", "--quiet", "--no-config"]
    _install(name, *uv, "venv", "--python", sys.executable, str(directory))
    requirements = str(PINS / name / "requirements.txt")
    _install(name, *uv, "pip", "install", "--python", str(directory), "--no-deps", "--requirements", requirements)
    if (PINS / name / "package-lock.json").exists():
        for pins in ("package.json", "package-lock.json"):
            shutil.copy(PINS / name / pins, directory)
        npm = str(directory / "bin" / "npm")  # of the pinned Node
        _install(name, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(directory))


def _install(name: str, *command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE_SECONDS, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"the client {name} cannot be installed from {PINS / name} (SAGESTONE_TEST_CLIENTS=none leaves the clients "
            f"out):\n$ {' '.join(command)}\n{done.stderr.strip()[-2000:]}"
        )
