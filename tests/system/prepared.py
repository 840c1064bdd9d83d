"""A service with the tests' images and data in it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.system.service import RunningService
from tests.system.validation import upload

_DATA = {
    "train/a.csv": b"1,2\n3,4\n",
    "train/b.csv": b"5,6\n",
    "train/deep/c.csv": b"7,8\n",
    "batch/first.csv": b"r1\nr2\nr3\n",
    "batch/second.csv": b"s1\n",
}
_SOON = {
    "SAGESTONE_TRAINING_STOP_SECONDS": "3",
    "SAGESTONE_TRANSFORM_STOP_SECONDS": "3",
    "SAGESTONE_PING_PATIENCE_SECONDS": "4",
    "SAGESTONE_MEMORY_GB": "1",  # soon filled
}


@contextmanager
def prepared_service(
    directory: Path,
    environment: Mapping[str, str],
    archives: Sequence[str],
    ca: Path | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[RunningService]:
    """Start one with its home below `directory`, load the archives, upload the data; stopped at the end.

    `ca`: it speaks TLS, with a certificate that this authority signed. `options` are those of `up`.
    """
    service = RunningService(directory / "home", {**environment, **_SOON}, options, ca=ca)
    service.start()
    try:
        loaded = service.command("image", "load", *archives)
        assert loaded.returncode == 0, loaded.stderr
        upload(service, _DATA)
        yield service
    finally:
        service.stop()
