"""The store of an account: the one place that chooses its kind."""

import secrets
import socket
from contextlib import suppress
from pathlib import Path

import orjson

from sagestone.compose.runtimes import CannotStart
from sagestone.domain.algorithm import Algorithm
from sagestone.domain.describe.algorithm import describe_algorithm
from sagestone.durable import whole_file
from sagestone.settings import Settings
from sagestone.store.interface import Store
from sagestone.store.sqlite_database import open_sqlite
from sagestone.version import VERSION


def open_store(settings: Settings, directory: Path, account: str) -> Store:
    """The state of `account`, which keeps what is its own in `directory`; makes it on the first call.

    With the setting `database` it is a schema of that database. Raises CannotStart, StoreUnavailable.
    """
    if settings.database:
        return _open_shared(settings, f"sagestone_{account}")
    return open_sqlite(directory / "state.sqlite3", _describe, describe_version=VERSION)


def open_state(path: Path) -> Store:
    """The state in that SQLite file, whatever the settings say: one that was restored."""
    return open_sqlite(path, _describe, describe_version=VERSION)


def home_word(home: Path) -> str:
    """The word for this home among all services: made once and kept in it, so it goes where the home goes."""
    path = home / "service-id"
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    with suppress(FileExistsError), whole_file(path, new=True) as file:
        file.write(f"{secrets.token_hex(8)}\n".encode())
    return path.read_text().strip()


def _open_shared(settings: Settings, schema: str) -> Store:
    """Imported only here: without PostgreSQL its driver is not needed, nor the time that it takes to load."""
    try:
        from sagestone.store.postgres.address import BadAddress, read_address
        from sagestone.store.postgres.open import open_postgres
        from sagestone.store.postgres.services import Disagreement, Member
    except ModuleNotFoundError as error:
        raise CannotStart(
            f"the setting database needs {error.name}, which is not installed: pip install 'sagestone[postgres]'"
        ) from error
    member = Member(
        home=home_word(settings.home),
        host=socket.gethostname(),
        agreed=_agreed(settings),
        patience_seconds=settings.service_patience_seconds,
    )
    try:
        address = read_address(settings.database)
        return open_postgres(
            address, schema=schema, member=member, describe=_describe, describe_version=VERSION
        )  # fmt: skip
    except BadAddress as error:
        raise CannotStart(f"the setting database cannot be used: {error}") from error
    except Disagreement as error:
        raise CannotStart(str(error)) from error


def _agreed(settings: Settings) -> dict[str, str]:
    """What services on one database must have alike: whatever one stores the others read, and they read its objects."""
    own = f"the embedded store of {settings.home} on {socket.gethostname()}"
    return {
        "region": settings.region,
        "partition": settings.partition,
        "account": settings.account,
        "s3_endpoint": settings.s3_endpoint or own,
    }


def _describe(algorithm: Algorithm) -> bytes:
    return orjson.dumps(describe_algorithm(algorithm))
