"""Builds the real runtime and S3 client from what was handed over. Imports wait until a kind is chosen: they cost."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sagestone.agent.parts import KeysPart, RuntimePart, S3Part
from sagestone.containers.runtime import Runtime
from sagestone.domain.names import Deployment
from sagestone.s3.client import S3

if TYPE_CHECKING:
    from sagestone.kms.vault import Vault

#: An endpoint that is being restarted comes back.
S3_PATIENCE_SECONDS: Final = 60.0
#: So does an engine.
ENGINE_PATIENCE_SECONDS: Final = 60.0


def build_runtime(part: RuntimePart) -> Runtime:
    """The runtime of that part; raises RuntimeFailure when it does not answer."""
    if part.kind == "engine":
        from sagestone.containers.engine.runtime import EngineRuntime

        return EngineRuntime(part.engine_url or "", patience_seconds=ENGINE_PATIENCE_SECONDS)
    from sagestone.containers.sandbox.runtime import SandboxRuntime

    return SandboxRuntime(Path(part.directory or ""))


def build_vault(part: KeysPart) -> "Vault":
    """The keys of that part."""
    from sagestone.kms.key_store import KeyStore
    from sagestone.kms.vault import Vault

    deployment = Deployment(partition=part.partition, region=part.region, account=part.account)
    return Vault(KeyStore(Path(part.directory), bytes.fromhex(part.root_key)), deployment, time.time)


def build_s3(part: S3Part, patience_seconds: float = S3_PATIENCE_SECONDS, *, open_uploads: Path | None = None) -> S3:
    """The S3 client of that part, which asks again for so long where an endpoint does not answer.

    It notes in that directory which uploads are open, for a process that takes its place.
    """
    if part.kind == "embedded":
        from sagestone.s3.embedded import EmbeddedS3

        vault = None if part.keys is None else build_vault(part.keys)
        return EmbeddedS3(Path(part.directory or ""), part.owner, vault)
    from sagestone.s3.open_uploads import OpenUploads
    from sagestone.s3.remote import RemoteS3

    return RemoteS3(
        endpoint_url=part.endpoint_url or "",
        region=part.region,
        access_key=part.access_key or "",
        secret_key=part.secret_key or "",
        session_token=part.session_token,
        patience_seconds=patience_seconds,
        open_uploads=None if open_uploads is None else OpenUploads(open_uploads),
    )
