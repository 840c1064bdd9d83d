"""Builds the real runtime and S3 client from what was handed over. Imports wait until a kind is chosen: they cost."""

from pathlib import Path
from typing import Final

from sagestone.agent.parts import RuntimePart, S3Part
from sagestone.containers.runtime import Runtime
from sagestone.s3.client import S3

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


def build_s3(part: S3Part, patience_seconds: float = S3_PATIENCE_SECONDS) -> S3:
    """The S3 client of that part, which asks again for so long where an endpoint does not answer."""
    if part.kind == "embedded":
        from sagestone.s3.embedded import EmbeddedS3

        return EmbeddedS3(Path(part.directory or ""), part.owner)
    from sagestone.s3.remote import RemoteS3

    return RemoteS3(
        endpoint_url=part.endpoint_url or "",
        region=part.region,
        access_key=part.access_key or "",
        secret_key=part.secret_key or "",
        session_token=part.session_token,
        patience_seconds=patience_seconds,
    )
