"""The shared SQL in PostgreSQL's words. It is written in SQLite's, which so stays as quick as it was."""

import itertools
import re
from functools import lru_cache

#: A lock on what is read, which a database with one writer does not need, stands in a comment.
_LOCK = re.compile(r"/\* (FOR [A-Z ]+) \*/")


@lru_cache(maxsize=1000)
def in_postgres(sql: str) -> str:
    """`?` becomes `$1`, `$2` …, `/* FOR UPDATE */` a lock on the rows, `instr(` its synonym, `epoch()` the clock of the
    database in seconds. No statement of ours has any of these in a text of its own."""
    numbers = itertools.count(1)
    sql = re.sub(r"\?", lambda _: f"${next(numbers)}", _LOCK.sub(r"\1", sql))
    return sql.replace("instr(", "strpos(").replace("epoch()", "CAST(extract(epoch FROM clock_timestamp()) AS float8)")
