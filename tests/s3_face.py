"""A real S3 face on a loopback port, for tests that speak to it as clients do."""

import asyncio
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from sagestone.domain.names import Deployment
from sagestone.kms.key_store import KeyStore
from sagestone.kms.vault import Vault
from sagestone.s3.storage import Storage, open_storage
from sagestone.s3_server import S3Face
from sagestone.wire.credentials import CredentialBook, Credentials
from sagestone.wire.exchange import Exchange

ACCESS_KEY, SECRET_KEY = "AKIATESTTESTTESTTEST", "secret/of+the=tests"
ACCOUNT, REGION = "123456789012", "us-east-1"


def vault_beside(directory: Path) -> Vault:
    """The keys that the store of that directory encrypts with in these tests."""
    deployment = Deployment(partition="aws", region=REGION, account=ACCOUNT)
    vault = Vault(KeyStore(directory / "keys", bytes(32)), deployment, time.time)
    vault.add_managed_keys()
    return vault


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningFace:
    """Where it listens and what it serves."""

    port: int
    storage: Storage

    @property
    def vault(self) -> Vault:
        """The keys that it encrypts with."""
        return vault_beside(self.storage.directory)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **config: Any) -> Any:
        """Unmodified boto3."""
        import boto3
        from botocore.config import Config

        region = config.pop("region_name", REGION)
        secret = config.pop("secret", SECRET_KEY)
        access_key = config.pop("access_key", ACCESS_KEY)
        return boto3.client(
            "s3",
            endpoint_url=config.pop("endpoint", self.endpoint),
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            aws_session_token=config.pop("session_token", None),
            config=Config(retries={"max_attempts": 1}, **config),
        )


async def _at_once(request: web.BaseRequest) -> None:
    """Keep no request waiting."""


@contextmanager
def running_face(
    directory: Path,
    *,
    authentication: bool = True,
    clock: Callable[[], float] = time.time,
    arrived: Callable[[web.BaseRequest], Awaitable[None]] = _at_once,
    body_patience: float = 60.0,
) -> Iterator[RunningFace]:
    """Serve the store of a directory until the block is left; each request waits for `arrived` first."""
    storage = open_storage(directory, vault_beside(directory))
    book = CredentialBook([Credentials(access_key=ACCESS_KEY, secret_key=SECRET_KEY, account=ACCOUNT)])
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    face = S3Face(
        storage,
        account=ACCOUNT,
        region=REGION,
        book=book if authentication else None,
        clock=clock,
        body_patience=body_patience,
    )

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await arrived(request)
        return await face.handle(request, Exchange(request_id=str(uuid.uuid4())))

    async def start() -> tuple[asyncio.Server, web.Server]:
        server = web.Server(handle, auto_decompress=False)
        return await loop.create_server(server, "127.0.0.1", 0), server

    listening, server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)

    async def stop() -> None:
        listening.close()
        await server.shutdown(1)

    try:
        yield RunningFace(port=listening.sockets[0].getsockname()[1], storage=storage)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        face.close()
        storage.close()
        loop.close()
