"""How an agent reaches the runtime and S3: handed over on standard input at its start, never written to disk."""

from dataclasses import dataclass, field
from typing import Literal

from sagestone.domain.file_system import FileSystem


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimePart:
    """Which runtime to use: the Engine API at `engine_url`, or the sandbox whose images lie in `directory`."""

    kind: Literal["engine", "sandbox"]
    engine_url: str | None = None
    directory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPart:
    """The keys that objects and volumes are encrypted with: where they lie, what opens them, and whose they are."""

    directory: str
    root_key: str = field(repr=False)  # hexadecimal
    partition: str
    region: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Part:
    """Which S3 to use: the embedded store's directory, or an endpoint with credentials."""

    kind: Literal["embedded", "remote"]
    directory: str | None = None
    owner: str | None = None  # of the embedded store: the account whose buckets are reached; None: all
    keys: KeysPart | None = None  # of the embedded store
    endpoint_url: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePart:
    """How containers reach the service: where it says that it listens, and the key that seals their way to a role."""

    endpoint_file: str
    seal_key: str = field(repr=False)
    account: str = ""  # whose job it is; "": the home's own account
    s3_endpoint: str = ""  # where S3 is another service


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything of the machine that an agent needs beside its assignment."""

    runtime: RuntimePart
    s3: S3Part
    logs_directory: str
    service: ServicePart | None = None
    file_systems: tuple[FileSystem, ...] = ()
    volume_keys: KeysPart | None = None  # for the jobs whose volumes are encrypted; no others get them
    log_limit_bytes: int = 256 * 1024 * 1024  # of each log stream; what a job writes beyond it is not kept
