"""The tables, as forward steps: a database of any older version is brought up to date when it is opened."""

import sqlite3
from pathlib import Path


def _containers_of(spec: str, kind: str) -> str:
    """The statement that moves `image`, `model_uri` and `container_environment` at that place into `containers`."""
    old = "CAST(document AS TEXT)"
    container = (
        f"json_object('image', json_extract({old}, '{spec}.image'), "
        f"'environment', json_extract({old}, '{spec}.container_environment'), "
        f"'model_uri', json_extract({old}, '{spec}.model_uri'))"
    )
    kept = f"json_remove({old}, '{spec}.image', '{spec}.container_environment', '{spec}.model_uri')"
    return (
        f"UPDATE documents SET document = CAST(json_set({kept}, '{spec}.containers', json_array({container})) AS BLOB) "
        f"WHERE id IN (SELECT id FROM resources WHERE kind = '{kind}') "
        f"AND json_type({old}, '{spec}.image') IS NOT NULL"
    )


#: One entry per step; entries are only ever added. Statements of one step run in one transaction.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        # What lists show, filter and sort by; documents lie apart so that a scan reads little.
        """CREATE TABLE resources (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            arn TEXT NOT NULL UNIQUE,
            created_at REAL NOT NULL,
            modified_at REAL NOT NULL,
            ended_at REAL,
            status TEXT NOT NULL,
            secondary_status TEXT,
            failure_reason TEXT,
            description TEXT,
            unfinished INTEGER NOT NULL
        )""",
        "CREATE UNIQUE INDEX resources_name ON resources (kind, name)",
        "CREATE INDEX resources_time ON resources (kind, created_at, id)",
        "CREATE INDEX resources_status ON resources (kind, status, created_at, id)",
        "CREATE INDEX resources_status_name ON resources (kind, status, name)",
        "CREATE INDEX resources_unfinished ON resources (id) WHERE unfinished = 1",
        """CREATE TABLE documents (
            id INTEGER PRIMARY KEY REFERENCES resources (id) ON DELETE CASCADE,
            document BLOB NOT NULL,
            described BLOB
        )""",
        """CREATE TABLE tags (
            id INTEGER PRIMARY KEY,
            resource INTEGER NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            UNIQUE (resource, key)
        )""",
        "CREATE TABLE leases (key TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        "INSERT INTO facts VALUES ('token_key', randomblob(32))",
    ),
    # A transform job serves several containers: the one it had becomes the only one of its list.
    (_containers_of("$.spec", "transform"), _containers_of("$.plan.transform", "algorithm")),
    # Versions of a model package belong to a group, which stays as long as it has any.
    (
        "ALTER TABLE resources ADD COLUMN parent INTEGER REFERENCES resources (id) ON DELETE RESTRICT",
        "CREATE INDEX resources_parent ON resources (parent, created_at, id) WHERE parent IS NOT NULL",
    ),
    # What training jobs measured, by the second.
    (
        """CREATE TABLE metrics (
            job TEXT NOT NULL,
            name TEXT NOT NULL,
            second INTEGER NOT NULL,
            samples INTEGER NOT NULL,
            total REAL NOT NULL,
            smallest REAL NOT NULL,
            largest REAL NOT NULL,
            PRIMARY KEY (job, name, second)
        ) WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE resources ADD COLUMN warm_pool TEXT",
        "CREATE INDEX resources_warm ON resources (id) WHERE warm_pool = 'Available'",
    ),
)


class NewerDatabase(Exception):
    """The database was written by a newer version than this one."""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Carry out the steps that this database has not had yet; raises NewerDatabase."""
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (step INTEGER PRIMARY KEY, applied_at TEXT NOT NULL)")
    (done,) = connection.execute("SELECT coalesce(max(step), 0) FROM migrations").fetchone()
    if done > len(STEPS):
        raise NewerDatabase(
            f"{path} was written by a newer version of Sagestone (step {done}, this one knows {len(STEPS)}): "
            "start that version, or another home directory"
        )
    for number, statements in enumerate(STEPS[done:], start=done + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute("INSERT INTO migrations VALUES (?, datetime('now'))", (number,))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
