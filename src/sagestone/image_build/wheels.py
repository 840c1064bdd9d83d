"""Python wheels for an image: chosen for the image's Python and machine, not for the one that builds."""

import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sagestone.image_build.recipe import BadRecipe

_PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


def install_wheels(requirements: Sequence[str], python_version: str, target: Path) -> None:
    """Install pinned wheels into `target` with pip, from the indexes pip is configured for; raises BadRecipe."""
    machine = platform.machine()
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(target), "--only-binary", ":all:", "--python-version", python_version]
    command += [part for name in _PLATFORMS for part in ("--platform", f"{name}_{machine}")]
    command += ["--implementation", "cp", "--root-user-action", "ignore"]
    done = subprocess.run([*command, *requirements], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise BadRecipe(f"pip could not install {' '.join(requirements)}: {done.stderr.strip()}")
