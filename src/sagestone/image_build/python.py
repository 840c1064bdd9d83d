"""Byte code for the Python of an image, made beforehand: a container that starts must not compile a library again."""

import subprocess
from pathlib import Path


def compile_modules(root: Path, tree: Path) -> None:
    """Compile the modules in `tree` with the Python of the image root, run by that root's own loader.

    The byte code is bound to no time stamp, so the same files give the same layer. An image without Python, or one for
    another processor, is left as it is.
    """
    python = next(iter(sorted((root / "usr" / "bin").glob("python3.[0-9]*"))), None)
    loader = next(iter(sorted((root / "usr").glob("lib*/**/ld-linux-*.so.*"))), None)
    if python is None or loader is None:
        return
    libraries = ":".join(str(path) for path in sorted((root / "usr" / "lib").glob("*-linux-gnu")))
    command = [str(loader), "--library-path", libraries, str(python), "-I", "-S", "-m", "compileall", "-q", "-j", "0"]
    options = ["--invalidation-mode", "unchecked-hash", "-x", "/tests?/", "-s", str(tree), "-p", "/"]
    environment = {"PYTHONHOME": str(root / "usr"), "PATH": "/usr/bin:/bin"}
    subprocess.run([*command, *options, str(tree / "usr" / "lib")], env=environment, capture_output=True, check=False)
