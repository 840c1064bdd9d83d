"""Where a PostgreSQL database is: the setting `database`, read once."""

import ssl
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES: Final = ("postgresql", "postgres")
_SSL_MODES: Final = ("disable", "prefer", "require", "verify-full")


class BadAddress(ValueError):
    """An address that cannot be used; the text says why and never has the password in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What a connection needs. `host` that begins with `/` is the directory of a Unix socket."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    ssl_mode: str = "prefer"
    ssl_root_certificate: str = ""

    @property
    def shown(self) -> str:
        """For people, without the password."""
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    def arguments(self) -> dict[str, Any]:
        """Those of `pg8000.native.Connection`."""
        place: dict[str, Any] = {"host": self.host, "port": self.port}
        if self.host.startswith("/"):
            place = {"host": None, "unix_sock": f"{self.host}/.s.PGSQL.{self.port}"}
        return {
            **place,
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "ssl_context": self._ssl_context(),
        }

    def _ssl_context(self) -> ssl.SSLContext | bool | None:
        if self.ssl_mode == "disable" or self.host.startswith("/"):
            return False
        if self.ssl_mode == "verify-full":
            return ssl.create_default_context(cafile=self.ssl_root_certificate or None)
        return True if self.ssl_mode == "require" else None


def read_address(url: str) -> Address:
    """From `postgresql://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=…&sslrootcert=…&host=/DIRECTORY]`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadAddress("it is no URL: what stands in brackets is no address") from None
    if "@" in url and ("@" not in parts.netloc or "@" in parts.path + parts.query + parts.fragment):
        raise BadAddress("it is no URL: in a password / ? # and @ have to be written %2F %3F %23 and %40")
    try:
        port = parts.port or 5432
    except ValueError:
        raise BadAddress("it is no URL: its port is no number from 0 to 65535") from None
    if parts.scheme not in SCHEMES:
        raise BadAddress("expected a URL such as postgresql://user@host:5432/sagestone")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = options.pop("host", "") or unquote(parts.hostname or "") or "localhost"
    ssl_mode = options.pop("sslmode", "prefer")
    certificate = options.pop("sslrootcert", "")
    if options:
        raise BadAddress(f"unknown option {', '.join(sorted(options))}: expected host, sslmode and sslrootcert only")
    if ssl_mode not in _SSL_MODES:
        raise BadAddress(f"sslmode = {ssl_mode!r}: expected one of {', '.join(_SSL_MODES)}")
    database = unquote(parts.path.removeprefix("/"))
    if not parts.username or not database:
        raise BadAddress("it names no user or no database: expected postgresql://user@host:5432/sagestone")
    return Address(
        host=host,
        port=port,
        database=database,
        user=unquote(parts.username),
        password=unquote(parts.password) if parts.password is not None else None,
        ssl_mode=ssl_mode,
        ssl_root_certificate=certificate,
    )
