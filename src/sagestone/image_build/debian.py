"""Debian packages as files: fetched by apt with its state in a directory of ours, so that no root is needed."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from sagestone.image_build.recipe import BadRecipe

#: Never needed to run a program in a container, though packages name them as dependencies.
_LEFT_OUT = frozenset({"debconf", "debconf-2.0", "dpkg", "perl-base", "perl", "tar", "gcc-12-base", "mime-support"})


class AptMissing(BadRecipe):
    """This machine has no apt; the text says what to do instead."""


def fetch_packages(names: Sequence[str], cache: Path, say: Callable[[str], None]) -> list[Path]:
    """The .deb files of these packages and of all they depend on, from the machine's own apt sources.

    Files are kept in `cache`, so a second call fetches nothing. Raises AptMissing, or BadRecipe with apt's own words.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise AptMissing(
            "building an image from Debian packages needs apt-get and dpkg-deb, which this machine lacks; "
            "build the example's Dockerfile with an engine instead and register that image"
        )
    apt = _Apt(cache)
    apt.update(say)
    wanted = apt.closure(names)
    say(f"fetching {len(wanted)} Debian packages")
    return apt.download(wanted)


class _Apt:
    """apt-get and apt-cache with lists, archives and status of our own; sources and keys are the machine's."""

    def __init__(self, cache: Path) -> None:
        self._state = cache / "apt"
        self._archives = cache / "debs"
        for directory in (self._state / "lists" / "partial", self._archives):
            directory.mkdir(parents=True, exist_ok=True)
        (self._state / "status").touch()
        options = {
            "Dir::State": self._state,
            "Dir::State::lists": self._state / "lists",
            "Dir::State::status": self._state / "status",
            "Dir::Cache": self._state,
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "APT::Sandbox::User": "root",
            "Debug::NoLocking": "1",
        }
        self._options = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]

    def update(self, say: Callable[[str], None]) -> None:
        """Fetch the package lists once; those of an earlier build serve again."""
        if any((self._state / "lists").glob("*Packages*")):
            return
        say("reading the package lists")
        self._run(["apt-get", "-q", "--error-on=any", "update"])

    def closure(self, names: Sequence[str]) -> list[str]:
        """The packages and what they depend on, without what a container never needs."""
        output = self._run(
            ["apt-cache", "depends", "--recurse", "--important", "--no-conflicts", "--no-breaks", "--no-replaces"],
            names,
        )
        found = {line.strip().partition(":")[0] for line in output.splitlines() if line and line[0] not in " |<"}
        return sorted(name for name in found if name and name not in _LEFT_OUT and not name.startswith("<"))

    def download(self, names: Sequence[str]) -> list[Path]:
        """Download what is not here yet; the files, sorted by name."""
        versions = self._candidates(names)
        missing = [name for name in names if name in versions and not self._file(name, versions[name])]
        if missing:
            self._run(["apt-get", "-q", "download"], missing, cwd=self._archives)
        return sorted(path for name in versions if (path := self._file(name, versions[name])))

    def _candidates(self, names: Sequence[str]) -> dict[str, str]:
        """Package → version that apt would install; virtual packages have none and are left out."""
        versions: dict[str, str] = {}
        name = ""
        for line in self._run(["apt-cache", "policy"], names).splitlines():
            if line and not line.startswith(" "):
                name = line.rstrip(":")
            elif line.strip().startswith("Candidate:") and "(none)" not in line:
                versions[name] = line.partition(":")[2].strip()
        return versions

    def _file(self, name: str, version: str) -> Path | None:
        return next(self._archives.glob(f"{name}_{version.replace(':', '%3a')}_*.deb"), None)

    def _run(self, command: Sequence[str], names: Sequence[str] = (), cwd: Path | None = None) -> str:
        done = subprocess.run(
            [command[0], *self._options, *command[1:], *names],
            capture_output=True,
            text=True,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )
        if done.returncode != 0:
            raise BadRecipe(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def unpack_package(package: Path, target: Path) -> None:
    """Unpack the files of a .deb, without running anything of it."""
    done = subprocess.run(["dpkg-deb", "-x", str(package), str(target)], capture_output=True, text=True)
    if done.returncode != 0:
        raise BadRecipe(f"{package.name} cannot be unpacked: {done.stderr.strip()}")
