"""Opens the store in one schema of a PostgreSQL database."""

from collections.abc import Callable

from sagestone.domain.algorithm import Algorithm
from sagestone.store.postgres.address import Address
from sagestone.store.postgres.migrations import migrate
from sagestone.store.postgres.pool import PostgresDatabase
from sagestone.store.postgres.services import Member, Services
from sagestone.store.sql_store import SqlStore


def open_postgres(
    address: Address,
    *,
    schema: str,
    member: Member,
    describe: Callable[[Algorithm], bytes],
    describe_version: str = "",
) -> SqlStore:
    """The store in that schema, which is made or brought up to date, for the service `member`.

    Raises NewerDatabase, Disagreement, StoreUnavailable.
    """
    migrate(address, schema, member.home)
    database = PostgresDatabase(address, schema)
    try:
        services = Services(database, member)
        try:
            return SqlStore(database, describe, describe_version, neighbours=services)
        except BaseException:
            services.close()
            raise
    except BaseException:
        database.close()
        raise
