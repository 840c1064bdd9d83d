"""The settings of a service: read once from the environment and `sagestone.toml`, then frozen.

Every setting has an environment variable `SAGESTONE_<NAME>` and a key `<name>` in `$SAGESTONE_HOME/sagestone.toml`; the
environment wins over the file, an explicit argument (a command-line option) wins over both.
"""

import ipaddress
import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin

RuntimeChoice = Literal["auto", "engine", "sandbox"]
LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
FileSystemKind = Literal["EFS", "FSxLustre"]


class BadSetting(Exception):
    """A setting that cannot be used; the text names it, its source and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemSetting:
    """Where a file system that channels may name is mounted on this machine."""

    id: str
    type: FileSystemKind
    directory: str
    mount_name: str = ""  # of FSxLustre: the first part of every DirectoryPath, which `directory` stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a deployment can choose. Defaults are for one person on one machine."""

    home: Path
    listen: str = "127.0.0.1:8470"
    region: str = "us-east-1"
    account: str = "123456789012"
    partition: str = "aws"
    public_host: str = ""  # the name by which clients reach the service; "": the host of `listen`
    tls_certificate: str = ""  # a file in PEM form, with its chain; "": no TLS
    tls_key: str = ""  # the file of its key
    tls_ca: str = ""  # the file of whom clients have to trust for it, which `env` hands to them; "": they know already
    insecure_no_auth: bool = False
    insecure_on_network: bool = False  # lets insecure_no_auth listen beyond this machine
    user: str = ""  # whom commands act as: NAME or ACCOUNT/NAME; "": the first user of the home's own account
    runtime: RuntimeChoice = "auto"  # auto: an engine that answers, else the sandbox
    database: str = field(default="", repr=False)  # "": a file in the home directory; postgresql://USER@HOST/DATABASE
    service_patience_seconds: float = 300.0  # a service that shares the database and is silent for so long is gone
    engine_url: str = ""  # "": DOCKER_HOST, then the usual sockets of Docker and Podman
    s3_endpoint: str = ""  # "": the embedded store
    s3_access_key: str = ""
    s3_secret_key: str = field(default="", repr=False)
    s3_region: str = ""
    kms_root_key: str = ""  # the file of the key that seals all keys of KMS; "": root.key in the home directory
    cpus: float = 0.0  # what jobs may use together; 0: the machine's
    memory_gb: float = 0.0  # likewise; 0: the machine's
    shared_memory_mb: int = 64
    ping_patience_seconds: float = 240.0
    training_stop_seconds: float = 120.0
    transform_stop_seconds: float = 30.0
    file_systems: tuple[FileSystemSetting, ...] = ()  # what FileSystemDataSource may name
    log_format: LogFormat = "text"
    log_level: LogLevel = "warning"  # info: a line for each request and each change of a job's status
    retention_logs_days: float = 0.0  # of logs of jobs that are over; 0: for ever
    retention_logs_gb: float = 0.0  # of all logs of an account, the oldest go first; 0: as much as there is
    retention_images_days: float = 0.0  # of the sandbox's images that nothing needs; 0: for ever
    retention_uploads_days: float = 7.0  # of multipart uploads that nobody goes on with; 0: for ever
    retention_cache_days: float = 30.0  # of what was fetched and built for images; 0: for ever
    monitoring_from: str = "loopback"  # networks that may ask for metrics and reasons; "none": nobody
    max_request_mb: int = 8  # body of an API request; objects of the embedded S3 are not bounded by it

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def known_host(self) -> str:
        """The name that clients are told."""
        return self.public_host or ("localhost" if self.host in ("0.0.0.0", "::") else self.host)

    @property
    def monitoring_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        text = self.monitoring_from.replace("loopback", "127.0.0.0/8, ::1/128")
        words = (word.strip() for word in text.split(","))
        return tuple(ipaddress.ip_network(word) for word in words if word not in ("", "none"))

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


def default_home(environment: Mapping[str, str]) -> Path:
    """`$SAGESTONE_HOME`, else `$XDG_DATA_HOME/sagestone`, else `~/.local/share/sagestone`."""
    if environment.get("SAGESTONE_HOME"):
        return Path(environment["SAGESTONE_HOME"]).expanduser().absolute()
    base = environment.get("XDG_DATA_HOME") or str(Path(environment.get("HOME", "/root")) / ".local" / "share")
    return Path(base).absolute() / "sagestone"


def read_settings(environment: Mapping[str, str] | None = None, **explicit: Any) -> Settings:
    """Settings from explicit values, the environment and the file, in this order of weight; raises BadSetting."""
    environment = os.environ if environment is None else environment
    home = Path(explicit.pop("home", None) or default_home(environment)).expanduser().absolute()
    from_file = _read_file(home / "sagestone.toml")
    chosen: dict[str, Any] = {}
    for each in fields(Settings):
        if each.name == "home":
            continue
        variable = f"SAGESTONE_{each.name.upper()}"
        if explicit.get(each.name) is not None:
            chosen[each.name] = _convert(each.name, each.type, explicit[each.name], "the command line")
        elif environment.get(variable, "") != "":
            chosen[each.name] = _convert(each.name, each.type, environment[variable], f"${variable}")
        elif each.name in from_file:
            chosen[each.name] = _convert(each.name, each.type, from_file[each.name], str(home / "sagestone.toml"))
    unknown = sorted(set(from_file) - {each.name for each in fields(Settings)})
    if unknown:
        raise BadSetting(f"{home / 'sagestone.toml'}: unknown setting {', '.join(unknown)}")
    settings = Settings(home=home, **chosen)
    _check(settings)
    return settings


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path}: not TOML: {error}") from error


def _convert(name: str, kind: Any, value: Any, source: str) -> Any:
    try:
        if kind is bool:
            if isinstance(value, bool):
                return value
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[str(value).lower()]
        if get_origin(kind) is Literal:
            if value not in get_args(kind):
                raise ValueError(f"one of {', '.join(get_args(kind))}")
            return value
        if name == "file_systems":
            return _file_systems(value)
        return kind(value)
    except (ValueError, KeyError, TypeError) as error:
        raise BadSetting(f"{name} = {value!r} (from {source}) cannot be read: {error}") from error


def _file_systems(value: Any) -> tuple[FileSystemSetting, ...]:
    """From TOML a table of tables by id; from a variable `ID=TYPE[/MOUNT_NAME]:DIRECTORY`, joined by commas."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, dict):
        return tuple(_file_system(name, dict(entry)) for name, entry in value.items())
    found = []
    for text in filter(None, (part.strip() for part in str(value).split(","))):
        name, _, rest = text.partition("=")
        kind, _, directory = rest.partition(":")
        kind, _, mount_name = kind.partition("/")
        found.append(_file_system(name, {"type": kind, "directory": directory, "mount_name": mount_name}))
    return tuple(found)


def _file_system(name: str, entry: dict[str, Any]) -> FileSystemSetting:
    kind, directory, mount_name = entry.pop("type", ""), entry.pop("directory", ""), entry.pop("mount_name", "")
    if entry:
        raise ValueError(f"{name} has {', '.join(entry)}: expected type, directory and mount_name only")
    if not re.fullmatch(r"fs-[0-9a-f]{8,18}", name):
        raise ValueError(f"{name!r} is no id of a file system, such as fs-0123456789abcdef0")
    if kind not in get_args(FileSystemKind):
        raise ValueError(f"the type of {name} is {kind!r}: expected {' or '.join(get_args(FileSystemKind))}")
    if not isinstance(directory, str) or not directory.startswith("/"):
        raise ValueError(f"the directory of {name} is {directory!r}: expected an absolute path")
    if not isinstance(mount_name, str) or "/" in mount_name or (mount_name and kind != "FSxLustre"):
        raise ValueError(f"the mount_name of {name} is {mount_name!r}: expected one word, for FSxLustre only")
    return FileSystemSetting(id=name, type=cast(FileSystemKind, kind), directory=directory, mount_name=mount_name)


def _check(settings: Settings) -> None:
    host, separator, port = settings.listen.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise BadSetting(f"listen = {settings.listen!r}: expected HOST:PORT, such as 127.0.0.1:8470")
    if settings.database and not re.match(r"(postgresql|postgres)://", settings.database):
        raise BadSetting("database: expected nothing, or a URL such as postgresql://user@host:5432/sagestone")
    if not re.fullmatch(r"[0-9]{12}", settings.account):
        raise BadSetting(f"account = {settings.account!r}: expected 12 digits")
    if not re.fullmatch(r"[a-z0-9-]{9,16}", settings.region):
        raise BadSetting(f"region = {settings.region!r}: expected a region such as us-east-1")
    if "@" in settings.s3_endpoint:
        raise BadSetting("s3_endpoint has a user or password in it: expected s3_access_key and s3_secret_key for these")
    if not re.fullmatch(r"(https?://[^/\s]+/?)?", settings.s3_endpoint):
        raise BadSetting(f"s3_endpoint = {settings.s3_endpoint!r}: expected a URL such as https://s3.example.com:9000")
    try:
        _ = settings.monitoring_networks
    except ValueError as error:
        raise BadSetting(
            f"monitoring_from = {settings.monitoring_from!r}: expected loopback, networks such as "
            f"10.0.0.0/8, joined by commas, or none: {error}"
        ) from error
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise BadSetting("tls_certificate and tls_key go together: one of them is missing")
    if settings.tls_ca and not settings.tls_certificate:
        raise BadSetting("tls_ca says whom to trust for tls_certificate, which is missing")
    if not re.fullmatch(r"[A-Za-z0-9.:-]*", settings.public_host):
        raise BadSetting(f"public_host = {settings.public_host!r}: expected a name such as sagemaker.example.com")
    if settings.insecure_no_auth and not (settings.on_loopback or settings.insecure_on_network):
        raise BadSetting(
            f"insecure_no_auth lets everybody in who reaches {settings.listen}: run code here, read and delete "
            "everything. Listen on 127.0.0.1, or set insecure_on_network too if that is really wanted"
        )
    if bool(settings.s3_access_key) != bool(settings.s3_secret_key):
        raise BadSetting("s3_access_key and s3_secret_key go together: one of them is missing")
    if settings.s3_endpoint and not settings.s3_access_key:
        raise BadSetting(f"s3_endpoint = {settings.s3_endpoint!r} needs s3_access_key and s3_secret_key beside it")
    for each in fields(Settings):
        value = getattr(settings, each.name)
        if isinstance(value, int | float) and not 0 <= value < math.inf:
            raise BadSetting(f"{each.name} = {value}: expected a number that is not negative")
