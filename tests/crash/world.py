"""The machines of a round: services, the S3 server, database and engine where they are apart, and their data."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.crash.client import Client
from tests.crash.data import BATCH, TRAIN
from tests.crash.effects import Effects
from tests.crash.engine import Engine
from tests.crash.plan import What
from tests.crash.programs import serving_archive, training_archive
from tests.crash.requests import BUCKET, LEDGER, OTHER_ACCOUNT, SEAL, THEIR_BUCKET
from tests.crash.shape import Shape
from tests.plain_user import PLAIN_USER
from tests.postgres import PostgresServer
from tests.system.service import RunningService

_DISK = "400m"
_LAST_WORDS = 4000
_COMMON = {
    "SAGESTONE_CPUS": "64",  # several jobs at a time on a small machine
    "SAGESTONE_MEMORY_GB": "128",
    "SAGESTONE_TRANSFORM_STOP_SECONDS": "3",
    "SAGESTONE_TRAINING_STOP_SECONDS": "3",
}
_AS_PLAIN_USER = (sys.executable, "-m", "tests.plain_user")


class World:
    """Everything lies below one directory."""

    def __init__(self, directory: Path, shape: Shape) -> None:
        self.directory, self.shape = directory, shape
        directory.chmod(0o755)
        self.ledger = directory / "files" / "ledger"
        self.ledger.mkdir(parents=True)
        self.effects = Effects(directory / "plans")
        for place in (self.ledger, self.effects.plans):
            self._give(place)
        self.engine = (
            None if shape.runtime == "sandbox" else Engine(directory / f"{directory.name}-engine", shape.runtime)
        )
        if self.engine is not None:
            self.engine.start()
        self.database = PostgresServer() if shape.two_services else None
        own = {"SAGESTONE_RUNTIME": "sandbox", **self.effects.environment("s3")}
        self.s3 = self._started("s3", own) if shape.other_s3 else None
        environment = {**_COMMON, **self._parts()}
        self.services = [self._service("one", environment)]
        if shape.two_services:
            self.services.append(self._service("other", environment))
        store = self.s3 or self.services[0]
        self.client = Client(self.services, store, self.services[0].keys())
        self.theirs = Client(self.services, store, self._their_keys()) if shape.accounts else self.client

    def _parts(self) -> Mapping[str, str]:
        parts = {
            "SAGESTONE_RUNTIME": "engine" if self.engine else "sandbox",
            "SAGESTONE_ENGINE_URL": self.engine.url if self.engine else "",
            "SAGESTONE_FILE_SYSTEMS": f"{LEDGER}=EFS:{self.ledger.parent}",
        }
        if self.database is not None:
            parts["SAGESTONE_DATABASE"] = self.database.url
        if self.s3 is not None:
            access_key, secret_key = self.s3.keys()
            parts |= {"SAGESTONE_S3_ENDPOINT": self.s3.endpoint}
            parts |= {"SAGESTONE_S3_ACCESS_KEY": access_key, "SAGESTONE_S3_SECRET_KEY": secret_key}
        return parts

    def _service(self, name: str, environment: Mapping[str, str]) -> RunningService:
        return self._started(name, {**environment, **self.effects.environment("service")})

    def _started(self, name: str, environment: Mapping[str, str]) -> RunningService:
        home = self.directory / name / "home"
        home.mkdir(parents=True)
        if self.shape.small_disks:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=700", "none", str(home)], check=True)
        if name == "other":  # services of one database have the same users
            (home / "credentials.json").write_bytes((self.services[0].home / "credentials.json").read_bytes())
        self._give(home)
        made = RunningService(home, environment, before=_AS_PLAIN_USER if self.shape.plain_user else ())
        made.start()
        return made

    def _give(self, place: Path) -> None:
        """To the user that the services run as."""
        if self.shape.plain_user:
            os.chown(place, PLAIN_USER, PLAIN_USER)

    def _their_keys(self) -> tuple[str, str]:
        made = self.services[0].command("account", "create", OTHER_ACCOUNT, "--json")
        assert made.returncode == 0, made.stderr
        keys = json.loads(made.stdout)
        return keys["access_key"], keys["secret_key"]

    def prepare(self) -> None:
        """Load the images, upload the data, make the key that objects are sealed with."""
        archives = [str(write(self.directory).path) for write in (training_archive, serving_archive)]
        for service in self.services if self.engine is None else self.services[:1]:
            loaded = service.command("image", "load", *archives)
            assert loaded.returncode == 0, loaded.stderr
        buckets = {BUCKET: self.client, **({THEIR_BUCKET: self.theirs} if self.shape.accounts else {})}
        for bucket, client in buckets.items():
            client.s3.create_bucket(Bucket=bucket)
            for key, body in {**TRAIN, **BATCH}.items():
                client.s3.put_object(Bucket=bucket, Key=key, Body=body)
        self.seal = self.client.kms.create_key()["KeyMetadata"]["Arn"]
        self.client.kms.create_alias(AliasName=SEAL, TargetKeyId=self.seal)

    def servers(self, what: What) -> Sequence[RunningService | Engine]:
        """Those that a kill of that sort may mean."""
        if what == "engine":
            assert self.engine is not None
            return [self.engine]
        if what == "s3":
            assert self.s3 is not None
            return [self.s3]
        return self.services

    @property
    def homes(self) -> Sequence[Path]:
        """Of the services, then of the S3 server."""
        return [server.home for server in (*self.services, self.s3) if server is not None]

    @property
    def processes(self) -> Sequence[int]:
        """Of all servers."""
        return [server.pid for server in (*self.services, self.s3, self.engine, self.database) if server is not None]

    def last_words(self) -> str:
        """The ends of the logs of all servers: they go with the round."""
        logs = sorted([*self.directory.glob("*/service.log"), *self.directory.glob("*/engine.log")])
        return "\n".join(f"{log}:\n{log.read_text(errors='replace')[-_LAST_WORDS:]}" for log in logs)

    def restart(self) -> None:
        """Stop the services as one should, and start them again."""
        for server in (*self.services, self.s3):
            if server is not None:
                assert server.stop() == 0
                server.start()

    def stop(self) -> list[int]:
        """End all as one should; their exit codes."""
        codes = [server.stop() for server in (*self.services, self.s3, self.engine) if server is not None]
        if self.database is not None:
            self.database.remove()
        return codes
