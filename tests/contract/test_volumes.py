"""Encrypted volumes on this machine's own kernel: what is on the disk, what bounds them, and that nothing is left."""

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.channels.fuse.mount import mounts_below
from sagestone.volumes.document import CannotOpen
from sagestone.volumes.loop import find
from sagestone.volumes.probe import complaint
from sagestone.volumes.volume import Volume
from tests.raw_files import holds
from tests.system.service import eventually

CANARY = b"no disk may show this, nor its name"
ROOM = 32 * 1024**2
PLAIN_USER = [sys.executable, "-m", "tests.plain_user", sys.executable, "-c"]


class Keys:
    """Data keys that lie open: what opens a volume is not the point here."""

    def __init__(self, arn: str = "arn:one") -> None:
        self.arn = arn
        self.opened = 0

    def make(self, volume: str) -> tuple[str, str, bytes]:
        key = secrets.token_bytes(32)
        return self.arn, b64encode(key).decode(), key

    def open(self, volume: str, sealed: str) -> bytes:
        self.opened += 1
        return b64decode(sealed)

    def is_under(self, key: str) -> bool:
        return key == self.arn


class WrongKeys(Keys):
    """Opens with another key than that which it was made with."""

    def open(self, volume: str, sealed: str) -> bytes:
        return bytes(32)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where a volume may be; nothing of it is mounted afterwards, and no device belongs to it."""
    if (why := complaint()) is not None:
        pytest.skip(f"no volume can be encrypted here: {why}")
    place = tmp_path / "a volume"
    yield place
    Volume(place).close(keep=False)
    assert mounts_below(tmp_path) == []
    assert {path.name for path in place.iterdir()} <= {"lock"}


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def device_of(image: Path) -> bool:
    """Whether a loop device belongs to the file."""
    descriptor = os.open(image, os.O_RDONLY)
    try:
        device = find(descriptor)
    finally:
        os.close(descriptor)
    if device is not None:
        os.close(device)
    return device is not None


def test_nothing_is_readable_in_the_image_but_all_is_there_again(place: Path) -> None:
    keys, volume, image = Keys(), Volume(place), place / "volume.img"
    volume.open(keys, ROOM)
    (volume.data / CANARY.decode()).write_bytes(CANARY * 1000)
    (place / "mounted" / "beside").write_bytes(CANARY[::-1] * 1000)  # not below what is encrypted
    volume.check_written()
    assert not holds(image, CANARY)
    assert holds(image, CANARY[::-1])  # so the search would have found it
    volume.close(keep=True)
    assert mounts_below(place) == []
    assert not device_of(image)
    assert not holds(image, CANARY)
    volume.open(keys, ROOM)
    assert (keys.opened, (volume.data / CANARY.decode()).read_bytes()) == (1, CANARY * 1000)


def test_it_is_opened_without_its_key_as_long_as_the_kernel_has_it(place: Path) -> None:
    keys = Keys()
    Volume(place).open(keys, ROOM)
    (Volume(place).data / "file").write_bytes(CANARY)
    Volume(place).open(keys, ROOM)
    Volume(place).open_again(keys)
    assert (Volume(place).data / "file").read_bytes() == CANARY
    assert keys.opened == 0
    assert len(mounts_below(place)) == 1


def test_without_its_key_it_stays_closed(place: Path) -> None:
    Volume(place).open(Keys(), ROOM)
    (Volume(place).data / "name").write_bytes(CANARY)
    Volume(place).close(keep=True)
    with pytest.raises(CannotOpen, match="another key"):
        Volume(place).open_again(WrongKeys())
    assert names(place / "mounted" / "data") != ["name"]
    with pytest.raises(CannotOpen, match="not there"):
        Volume(place / "none").open_again(Keys())
    Volume(place / "none").close(keep=False)
    (place / "none" / "lock").unlink()
    (place / "none").rmdir()


def test_another_kms_key_gets_a_new_volume(place: Path) -> None:
    Volume(place).open(Keys(), ROOM)
    (Volume(place).data / "name").write_bytes(CANARY)
    Volume(place).open(Keys("arn:two"), ROOM)
    assert names(Volume(place).data) == []


def test_one_that_was_left_half_made_is_made_anew(place: Path) -> None:
    Volume(place).open(Keys(), ROOM)
    (place / "volume.json").unlink()  # what is written last
    Volume(place).open(Keys(), ROOM)
    assert names(Volume(place).data) == []
    assert len(mounts_below(place)) == 1


def test_it_holds_what_it_was_made_for_and_hardly_more(place: Path) -> None:
    volume = Volume(place)
    volume.open(Keys(), 8 * ROOM)
    small = (place / "volume.img").stat().st_blocks * 512
    assert small < ROOM // 4  # nothing is in it yet
    with (volume.data / "large").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 8 * ROOM)
        with pytest.raises(OSError, match="No space left"):
            os.posix_fallocate(file.fileno(), 8 * ROOM, ROOM)


def test_what_is_removed_gives_its_room_back_to_the_disk(place: Path) -> None:
    volume, image = Volume(place), place / "volume.img"
    volume.open(Keys(), ROOM)
    (volume.data / "large").write_bytes(secrets.token_bytes(1024) * 8 * 1024)
    volume.check_written()
    before = image.stat().st_blocks
    (volume.data / "large").unlink()
    volume.check_written()
    eventually(lambda: before - image.stat().st_blocks >= 8 * 2048, "the file has a hole there")


def test_what_a_full_disk_lost_is_told(place: Path) -> None:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(place)], check=True)
    try:
        volume = Volume(place)
        volume.open(Keys(), ROOM)
        (volume.data / "large").write_bytes(bytes(16 * 1024**2))
        with pytest.raises(OSError, match="syncfs"):
            volume.check_written()
        volume.close(keep=False)
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_namespace_that_has_a_copy_does_not_keep_it(place: Path) -> None:
    volume = Volume(place)
    volume.open(Keys(), ROOM)
    image = os.open(place / "volume.img", os.O_RDONLY)
    command = ["unshare", "--mount", "sh", "-c", "echo ready; exec sleep 300"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            volume.close(keep=False)
            assert find(image) is None
            assert os.fstat(image).st_blocks == 0
        finally:
            other.kill()
            os.close(image)


def test_whoever_is_killed_while_opening_it_leaves_it_to_the_next(place: Path) -> None:
    """At whatever moment: each round ends with a volume that works, or with nothing of one."""
    moments = random.Random(5)
    for number in range(10):
        child = os.fork()
        if not child:
            Volume(place).open(Keys(), ROOM)
            os._exit(0)
        time.sleep(moments.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if number % 2:
            Volume(place).close(keep=False)
            assert mounts_below(place) == []
            continue
        Volume(place).open(Keys(), ROOM)
        (Volume(place).data / "file").write_bytes(CANARY)
        assert len(mounts_below(place)) == 1
        Volume(place).close(keep=number % 4 == 0)


def test_a_plain_user_is_told_why_there_are_none() -> None:
    if os.geteuid() != 0:
        assert complaint() is not None
        return
    asked = "from sagestone.volumes.probe import complaint; print(complaint())"
    done = subprocess.run([*PLAIN_USER, asked], capture_output=True, text=True, check=True)
    assert done.stdout == "only root may mount them: run the service as root\n"
