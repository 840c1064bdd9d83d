"""Rows of CSV (RFC 4180, no newlines inside): taken apart and put together without touching a column's bytes."""

import re
from collections.abc import Sequence

from sagestone.domain.json_path import Everything, Indexes, Step
from sagestone.inference.record_error import BadRecord

_QUOTED = re.compile(rb'"(?:[^"]|"")*"')


def columns(row: bytes) -> list[bytes]:
    """The columns of a row as they stand there, quotes included; raises BadRecord."""
    if b'"' not in row:
        return row.split(b",")
    found: list[bytes] = []
    at = 0
    while True:
        if row[at : at + 1] == b'"':
            quoted = _QUOTED.match(row, at)
            if quoted is None:
                raise BadRecord(f'a quoted field is not closed near: "{_shown(row, at)}"')
            end = quoted.end()
            if end < len(row) and row[end] != 0x2C:
                raise BadRecord(f'extraneous " in field found near: "{_shown(row, at)}"')
        else:
            end = row.find(b",", at)
            end = len(row) if end < 0 else end
            if b'"' in row[at:end]:
                raise BadRecord(f'bare " in non quoted field found near: "{_shown(row, at)}"')
        found.append(row[at:end])
        if end == len(row):
            return found
        at = end + 1


def select_columns(row: Sequence[bytes], steps: Sequence[Step]) -> bytes:
    """The columns that a path selects, as a row; raises BadRecord where it names one that is not there."""
    if not steps or isinstance(steps[0], Everything):
        return b",".join(row)
    assert isinstance(steps[0], Indexes)
    try:
        chosen = steps[0].positions(len(row))
    except IndexError as error:
        raise BadRecord(f"{error} columns") from error
    if not chosen:
        raise BadRecord(f"it selects none of {len(row)} columns")
    return b",".join([row[position] for position in chosen])


def _shown(row: bytes, at: int) -> str:
    return row[at : at + 40].decode(errors="replace")
