"""The machines of a run: the service, the S3 server where there is one of its own, and what they are given."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.crash.client import Client
from tests.crash.data import BATCH, TRAIN
from tests.crash.effects import Effects
from tests.crash.engine import Engine
from tests.crash.plan import What
from tests.crash.programs import serving_archive, training_archive
from tests.crash.requests import BUCKET, LEDGER
from tests.system.service import RunningService

_DISK = "400m"
_COMMON = {
    "SAGESTONE_CPUS": "64",  # several jobs at a time on a small machine
    "SAGESTONE_MEMORY_GB": "128",
    "SAGESTONE_TRANSFORM_STOP_SECONDS": "3",
    "SAGESTONE_TRAINING_STOP_SECONDS": "3",
}


class World:
    """Everything lies below one directory. `other_s3`: objects are kept by a second service.

    With `small_disks` each home is a file system of its own, which can be filled; with `docker` containers run in an
    engine, else in the sandbox.
    """

    def __init__(self, directory: Path, *, other_s3: bool, small_disks: bool, docker: bool) -> None:
        self.directory = directory
        self.ledger = directory / "files" / "ledger"
        self.ledger.mkdir(parents=True)
        self.effects = Effects(directory / "plans")
        self.engine = Engine(directory / "engine") if docker else None
        if self.engine is not None:
            self.engine.start()
        environment = {
            **_COMMON,
            "SAGESTONE_RUNTIME": "engine" if self.engine else "sandbox",
            "SAGESTONE_ENGINE_URL": self.engine.url if self.engine else "",
            "SAGESTONE_FILE_SYSTEMS": f"{LEDGER}=EFS:{self.ledger.parent}",
        }
        self.s3: RunningService | None = None
        if other_s3:
            (directory / "s3").mkdir()
            if small_disks:
                _make_disk(directory / "s3" / "home")
            own = {"SAGESTONE_RUNTIME": "sandbox", **self.effects.environment("s3")}
            self.s3 = RunningService(directory / "s3" / "home", own)
            self.s3.start()
            access_key, secret_key = self.s3.keys()
            environment |= {"SAGESTONE_S3_ENDPOINT": self.s3.endpoint}
            environment |= {"SAGESTONE_S3_ACCESS_KEY": access_key, "SAGESTONE_S3_SECRET_KEY": secret_key}
        if small_disks:
            _make_disk(directory / "home")
        self.service = RunningService(directory / "home", {**environment, **self.effects.environment("service")})
        self.service.start()
        self.objects = Client(self.s3 or self.service)
        self.client = Client(self.service)

    def prepare(self) -> None:
        """Load the images, upload the data."""
        archives = [str(write(self.directory).path) for write in (training_archive, serving_archive)]
        loaded = self.service.command("image", "load", *archives)
        assert loaded.returncode == 0, loaded.stderr
        self.objects.s3.create_bucket(Bucket=BUCKET)
        for key, body in {**TRAIN, **BATCH}.items():
            self.objects.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def server(self, what: What) -> RunningService | Engine:
        """The server that a kill of that sort means."""
        if what == "engine":
            assert self.engine is not None
            return self.engine
        if what == "s3":
            assert self.s3 is not None
            return self.s3
        return self.service

    @property
    def homes(self) -> Sequence[Path]:
        return [server.home for server in (self.service, self.s3) if server is not None]

    @property
    def processes(self) -> Sequence[int]:
        """Of all servers."""
        return [server.pid for server in (self.service, self.s3, self.engine) if server is not None]

    def restart(self) -> None:
        """Stop the services as one should, and start them again."""
        for server in (self.service, self.s3):
            if server is not None:
                assert server.stop() == 0
                server.start()

    def stop(self) -> list[int]:
        """End all as one should; their exit codes."""
        return [server.stop() for server in (self.service, self.s3, self.engine) if server is not None]


def _make_disk(place: Path) -> None:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=700", "none", str(place)], check=True)
