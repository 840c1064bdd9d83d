"""Small images with a Python in them: the interpreter that runs the tests, and only the modules a program asks for.

For containers that must really serve HTTP, count requests or allocate memory. No compiler, registry or network needed.
"""

import functools
import json
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.images import WrittenImage, write_archive

#: Where the interpreter stands in the image.
PYTHON = "/opt/python/bin/python3"

_HOME = "/opt/python"
_USUAL = (
    "http.server",
    "socketserver",
    "json",
    "threading",
    "signal",
    "time",
    "socket",
    "gzip",
    "hashlib",
    "struct",
    "typing",
    "dataclasses",
    "subprocess",
    "tarfile",
    "csv",
)


def python_archive(
    path: Path,
    name: str,
    files: Mapping[str, bytes],
    *,
    modules: Sequence[str] = _USUAL,
    entrypoint: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    workdir: str = "",
    labels: Mapping[str, str] | None = None,
) -> WrittenImage:
    """Write a docker archive of an image called `name` with Python, busybox, and `files` by absolute path.

    `entrypoint` is usually `(PYTHON, "/opt/program/main.py")`; `modules` are what the programs import, whole or not at
    all: what these modules themselves import comes along.
    """
    variables = {
        "PATH": f"{_HOME}/bin:/usr/local/bin:/usr/bin:/bin",
        "LD_LIBRARY_PATH": f"{_HOME}/lib",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **(env or {}),
    }
    contents = {**_interpreter(tuple(sorted(modules))), **files}
    return write_archive(path, name, contents, entrypoint=entrypoint, env=variables, workdir=workdir, labels=labels)


@functools.cache
def _interpreter(modules: tuple[str, ...]) -> dict[str, bytes]:
    executable = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}").resolve()
    if not executable.is_file():
        executable = Path(sys.executable).resolve()
    contents = {PYTHON: executable.read_bytes()}
    standard = f"{_HOME}/lib/python{sys.version_info.major}.{sys.version_info.minor}"
    linked = [executable]
    with tempfile.TemporaryDirectory() as scratch:
        for module, origin in _loaded(executable, modules).items():
            place = module.replace(".", "/")
            if origin.suffix == ".py":
                package = "/__init__" if origin.stem == "__init__" else ""
                compiled = Path(scratch, "module.pyc")
                mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
                py_compile.compile(str(origin), str(compiled), f"<{module}>", True, invalidation_mode=mode)
                contents[f"{standard}/{place}{package}.pyc"] = compiled.read_bytes()
            else:
                contents[f"{standard}/lib-dynload/{origin.name}"] = origin.read_bytes()
                linked.append(origin)
    for library in _libraries(linked):
        in_image = str(library) if library.name.startswith("ld-") else f"{_HOME}/lib/{library.name}"
        contents[in_image] = _without_debug_symbols(library)
    return contents


def _loaded(executable: Path, modules: tuple[str, ...]) -> dict[str, Path]:
    """Every module that a fresh interpreter has loaded once it has imported `modules`, with the file it came from."""
    program = (
        f"import importlib, json, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "import encodings.idna, encodings.latin_1, encodings.ascii\n"
        "modules = {n: getattr(m, '__file__', None) for n, m in sys.modules.items() if m.__name__ == n}\n"
        "print(json.dumps(modules))"
    )
    command = [str(executable), "-I", "-S", "-X", "frozen_modules=off", "-c", program]
    listing = subprocess.run(command, capture_output=True, check=True)
    origins = {name: Path(file) for name, file in json.loads(listing.stdout).items() if file}
    origins.setdefault("site", Path(sys.base_prefix, "lib", f"python3.{sys.version_info.minor}", "site.py"))
    return origins


def _without_debug_symbols(library: Path) -> bytes:
    strip = shutil.which("strip")
    if strip is None:
        return library.read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        smaller = Path(scratch, "library")
        done = subprocess.run([strip, "--strip-debug", "-o", smaller, library], capture_output=True, check=False)
        return smaller.read_bytes() if done.returncode == 0 else library.read_bytes()


def _libraries(programs: Sequence[Path]) -> list[Path]:
    """The shared libraries that these need, the loader among them."""
    found: set[Path] = set()
    for program in programs:
        listing = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
        found |= {Path(path) for path in re.findall(r"(?:=> |^\s*)(/\S+)", listing, re.MULTILINE)}
    return sorted(found)
