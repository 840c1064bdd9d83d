"""FastFile beside the embedded store where this machine mounts nothing, and what `doctor` says of such machines."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.channels.fuse.mount import DEVICE, SETTINGS
from tests.plain_user import PLAIN_USER
from tests.unit.test_channels_file import stored

_READ_ALL = """
import os, sys
from pathlib import Path
from sagestone.channels.fuse.mount import mounts_below
from tests.contract.test_fast_file_mount import Mounted
here = Mounted(Path(sys.argv[1]), None)
part = here.channel(most_links=2)
print(part.start(lambda: None), mounts_below(here.directory), part.failure())
(mount,) = part.mounts()
print(sorted((path.name, path.read_bytes()) for path in mount.source.rglob("*") if path.is_file()))
part.stop()
"""
_EXAMINE = """
import sys
from pathlib import Path
from sagestone.compose.examine_fast_file import examine_fast_file
from sagestone.settings import read_settings
remote = {"s3_endpoint": sys.argv[2], "s3_access_key": "k", "s3_secret_key": "k"} if sys.argv[2] else {}
found = examine_fast_file(read_settings({}, home=Path(sys.argv[1]), **remote))
print(found.level, found.text)
"""


def _said(covers: dict[Path, Path], *command: str, path: str = "") -> str:
    """What a program says in a mount namespace where some files cover others."""
    binds = [f"mount --bind {cover} {place}" for place, cover in covers.items()]
    script = " && ".join(["mount --make-rprivate /", *binds, 'exec "$0" "$@"'])
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, *command],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that any user may enter: pytest's own are closed again by each run that begins."""
    directory = Path(tempfile.mkdtemp(prefix="sagestone-fast-file-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(autouse=True)
def _can_cover() -> None:
    if os.geteuid() != 0 or not DEVICE.exists():
        pytest.skip(f"needs root, and {DEVICE} to cover it")


@pytest.mark.parametrize("user", ["root", "plain"])
def test_all_get_names_of_their_own_before_the_program_begins(open_directory: Path, user: str) -> None:
    stored(open_directory, {f"in/{name}": name.encode() for name in "abc"})
    cover = open_directory / "device"
    cover.write_bytes(b"")
    cover.chmod(0o600)
    command = [sys.executable, "-c", _READ_ALL, str(open_directory)]
    if user == "plain":
        for place in (open_directory, *open_directory.rglob("*")):
            os.chown(place, PLAIN_USER, PLAIN_USER)
        os.chown(cover, 0, 0)
        command = [sys.executable, "-m", "tests.plain_user", *command]
    said = _said({DEVICE: cover}, *command)
    assert said.splitlines() == ["3 [] None", "[('a', b'a'), ('b', b'b'), ('c', b'c')]"]


ALLOWED = "user_allow_other\n"
NAMED = f"someone:x:{PLAIN_USER}:{PLAIN_USER}::/:/bin/sh\n"
MANY = "channels of more than 4,000 objects begin when all have one"


@pytest.mark.parametrize(
    ("mode", "settings", "accounts", "here", "remote"),
    [
        (0o666, ALLOWED, NAMED, "good works: ", "good works on a remote S3, by fusermount3"),
        (0o666, "#" + ALLOWED, NAMED, f"{MANY}: other users may not", "write user_allow_other into /etc/fuse.conf"),
        (0o600, ALLOWED, NAMED, f"{MANY}, and channels with an enc", "(`chmod 666 /dev/fuse`); File and Pipe modes do"),
        (0o666, ALLOWED, "", f"{MANY}, and channels with an enc", f"user {PLAIN_USER} has no name"),
    ],
)
def test_doctor_says_what_a_user_without_rights_has_to_do(
    open_directory: Path, mode: int, settings: str, accounts: str, here: str, remote: str
) -> None:
    covers = {
        DEVICE: open_directory / "device",
        SETTINGS: open_directory / "settings",
        Path("/etc/passwd"): open_directory / "accounts",
    }
    if not SETTINGS.exists():
        pytest.skip(f"needs {SETTINGS} (package fuse3) to cover it")
    for place, content in zip(covers.values(), ("", settings, accounts), strict=True):
        place.write_text(content)
        place.chmod(0o644)
    covers[DEVICE].chmod(mode)
    helper = open_directory / "fusermount3"  # which is looked for, and not run
    helper.touch(mode=0o755)
    program = (sys.executable, "-m", "tests.plain_user", sys.executable, "-c", _EXAMINE, str(open_directory))
    assert here in _said(covers, *program, "", path=str(open_directory))
    assert remote in _said(covers, *program, "http://127.0.0.1:1", path=str(open_directory))
