"""Runs moto's own SageMaker tests, from a checkout of moto, over HTTP against a service: `./run moto-suite CHECKOUT`.

Nothing of moto's suite is kept here. `left_out.py` names the tests that do not run, each with the reason.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_FILES = ("training", "transform", "models", "model_packages", "model_package_groups")


def main(arguments: list[str]) -> int:
    """The exit code of pytest, or 2 where the checkout has no such tests."""
    if not arguments:
        return _refuse("say where a checkout of moto is: ./run moto-suite CHECKOUT [PYTEST ARGS]")
    suite = Path(arguments[0]) / "tests" / "test_sagemaker"
    files = [suite / f"test_sagemaker_{name}.py" for name in _FILES]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        return _refuse(f"no checkout of moto's repository: there is no {missing[0]}")
    with tempfile.TemporaryDirectory(prefix="sagestone-moto-suite-") as directory:
        for file in files:  # out of moto's package `tests`, which has the name of ours
            shutil.copy(file, directory)
        command = [sys.executable, "-m", "pytest", "-p", "tests.moto_suite.plugin", "-c", "pyproject.toml"]
        command += ["--rootdir", directory, "--override-ini", "testpaths=", "-p", "no:cacheprovider", directory]
        return subprocess.run([*command, *arguments[1:]], check=False).returncode


def _refuse(complaint: str) -> int:
    sys.stderr.write(f"{complaint}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
