"""Whether the database of the setting `database` can be used."""

from sagestone.compose.finding import Finding
from sagestone.settings import Settings
from sagestone.store.interface import StoreUnavailable


def examine_database(settings: Settings) -> list[Finding]:
    """Connects, and looks whether what is committed there is durable; nothing where the state is in a file."""
    if not settings.database:
        return []
    try:
        from sagestone.store.postgres.address import BadAddress, read_address
        from sagestone.store.postgres.session import Session
    except ModuleNotFoundError as error:
        return [_bad(f"needs {error.name}: pip install 'sagestone[postgres]'")]
    try:
        address = read_address(settings.database)
        session = Session(address, "public", patience_seconds=10.0)
    except (BadAddress, StoreUnavailable) as error:
        return [_bad(str(error))]
    ((version, fsync),) = session.execute("SELECT current_setting('server_version'), current_setting('fsync')")
    session.close()
    text = f"PostgreSQL {version} answers at {address.shown}"
    if fsync != "on":
        text += ", with fsync off: what was answered is lost when its machine dies"
        return [Finding(subject="database", level="warning", text=text)]
    return [Finding(subject="database", level="good", text=text)]


def _bad(text: str) -> Finding:
    return Finding(subject="database", level="bad", text=text)
