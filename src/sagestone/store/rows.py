"""Documents as rows: JSON for the document, columns for what lists filter, sort and show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.model import Model
from sagestone.domain.model_package import ModelPackage, ModelPackageGroup
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob
from sagestone.store.database import CONSTRAINT_BROKEN, Connection
from sagestone.store.interface import NameTaken, NotEmpty, NotFound

Kind = Literal["algorithm", "training", "transform", "model", "model-package", "model-package-group"]
Document = Algorithm | TrainingJob | TransformJob | Model | ModelPackage | ModelPackageGroup
Describe = Callable[[Algorithm], bytes]

TYPES: Final[Mapping[Kind, type[Any]]] = {
    "algorithm": Algorithm,
    "training": TrainingJob,
    "transform": TransformJob,
    "model": Model,
    "model-package": ModelPackage,
    "model-package-group": ModelPackageGroup,
}
KINDS: Final[Mapping[type[Any], Kind]] = {type_: kind for kind, type_ in TYPES.items()}
_DECODERS = {kind: msgspec.json.Decoder(type_) for kind, type_ in TYPES.items()}
_UNFINISHED: Final = ("Pending", "InProgress", "Deleting")
_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A document that is to be added, written out: `columns` are its values for `resources`, without its group."""

    name: str
    columns: tuple[object, ...]
    document: bytes
    described: bytes | None
    tags: Mapping[str, str]
    group: str | None


def new_row(document: Document, tags: Mapping[str, str], describe: Describe) -> NewRow:
    """Write a document out; what the caller can do the database's one writer need not."""
    kind, name, arn = _identity(document)
    return NewRow(
        name=f"{kind} {name}",
        columns=(kind, name, arn, _shown(document.created_at), *_columns(document)),
        document=_ENCODE(document),
        described=_described(document, describe),
        tags=tags,
        group=document.group if isinstance(document, ModelPackage) else None,
    )


def insert(connection: Connection, new: Sequence[NewRow]) -> None:
    """Add rows with their tags; raises NameTaken, or NotFound where a group is not there."""
    groups = [_group_id(connection, row.group) if row.group else None for row in new]
    values = [value for row, group in zip(new, groups, strict=True) for value in (*row.columns, group)]
    try:
        added = connection.execute(_insert_resources(len(new)), values).fetchall()
    except CONSTRAINT_BROKEN as error:
        raise NameTaken(f"{', '.join(row.name for row in new)} exists already") from error
    ids = {f"{kind} {name}": id_ for id_, kind, name in added}
    connection.execute(
        _insert_documents(len(new)), [value for row in new for value in (ids[row.name], row.document, row.described)]
    )
    tags = [(ids[row.name], key, value) for row in new for key, value in row.tags.items()]
    if tags:
        connection.executemany("INSERT INTO tags (resource, key, value) VALUES (?, ?, ?)", tags)


@lru_cache
def _insert_resources(count: int) -> str:
    return (
        "INSERT INTO resources (kind, name, arn, created_at, modified_at, ended_at, status, secondary_status,"
        " failure_reason, description, unfinished, warm_pool, parent) VALUES "
        f"{', '.join(['(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'] * count)} RETURNING id, kind, name"
    )


@lru_cache
def _insert_documents(count: int) -> str:
    return f"INSERT INTO documents (id, document, described) VALUES {', '.join(['(?, ?, ?)'] * count)}"


def read(connection: Connection, kind: Kind, name: str) -> Any:
    """The document of that kind and name, or None."""
    row = connection.execute(
        "SELECT document FROM resources JOIN documents USING (id) WHERE kind = ? AND name = ?", (kind, name)
    ).fetchone()
    return _DECODERS[kind].decode(row[0]) if row else None


def change(connection: Connection, kind: Kind, name: str, apply: Callable[[Any], Any], describe: Describe) -> Any:
    """Put what `apply` makes of the document in its place; raises NotFound. The same object writes nothing."""
    row = connection.execute(
        "SELECT id, document FROM resources JOIN documents USING (id) WHERE kind = ? AND name = ? /* FOR UPDATE */",
        (kind, name),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no {kind} {name}")
    before = _DECODERS[kind].decode(row[1])
    after = apply(before)
    if after is before:
        return after
    if _identity(after) != _identity(before):
        raise ValueError(f"a change made {kind} {name} into something else")
    connection.execute(
        "UPDATE resources SET modified_at = ?, ended_at = ?, status = ?, secondary_status = ?, failure_reason = ?,"
        " description = ?, unfinished = ?, warm_pool = ? WHERE id = ?",
        (*_columns(after), row[0]),
    )
    connection.execute(
        "UPDATE documents SET document = ?, described = ? WHERE id = ?",
        (_ENCODE(after), _described(after, describe), row[0]),
    )
    return after


def redescribe(connection: Connection, describe: Describe) -> None:
    """Write every stored DescribeAlgorithm answer anew: what it shows has changed with the version."""
    ids = connection.execute("SELECT id FROM resources WHERE kind = 'algorithm' ORDER BY id").fetchall()
    for (id_,) in ids:
        (document,) = connection.execute(
            "SELECT document FROM documents WHERE id = ? /* FOR UPDATE */", (id_,)
        ).fetchone()
        described = describe(_DECODERS["algorithm"].decode(document))
        connection.execute("UPDATE documents SET described = ? WHERE id = ?", (described, id_))


def remove(connection: Connection, kind: Kind, name: str) -> bool:
    """Take a row away with its document and tags; whether there was one. Raises NotEmpty for a group with members."""
    try:
        gone = connection.execute(
            "DELETE FROM resources WHERE kind = ? AND name = ? RETURNING id", (kind, name)
        ).fetchall()
    except CONSTRAINT_BROKEN as error:
        raise NotEmpty(f"{kind} {name} has members") from error
    return bool(gone)


def _group_id(connection: Connection, name: str) -> int:
    row = connection.execute(
        "SELECT id FROM resources WHERE kind = 'model-package-group' AND name = ? /* FOR KEY SHARE */",
        (name,),
    ).fetchone()  # fmt: skip
    if row is None:
        raise NotFound(f"there is no model-package-group {name}")
    return int(row[0])


def _identity(document: Document) -> tuple[Kind, str, str]:
    named = document.spec if isinstance(document, TrainingJob | TransformJob) else document
    return KINDS[type(document)], named.name, named.arn


def _columns(document: Document) -> tuple[object, ...]:
    """modified_at, ended_at, status, secondary_status, failure_reason, description, unfinished, warm_pool."""
    if isinstance(document, Model):
        return _shown(document.created_at), None, "", None, None, None, False, None
    if isinstance(document, ModelPackageGroup):
        return _shown(document.created_at), None, "Completed", None, None, document.description, False, None
    if isinstance(document, ModelPackage):
        description, unfinished = document.request.get("ModelPackageDescription"), document.status in _UNFINISHED
        modified_at = _shown(document.modified_at)
        return modified_at, None, document.status, document.approval, None, description, unfinished, None
    if isinstance(document, Algorithm):
        unfinished = document.status in _UNFINISHED
        description = document.request.get("AlgorithmDescription")
        return _shown(document.created_at), None, document.status, None, None, description, unfinished, None
    secondary = document.secondary_status if isinstance(document, TrainingJob) else None
    pool = document.warm_pool.status if isinstance(document, TrainingJob) and document.warm_pool else None
    return (
        _shown(document.modified_at),
        None if document.ended_at is None else _shown(document.ended_at),
        document.status,
        secondary,
        document.failure_reason,
        None,
        not document.finished or document.status == "Deleting" or pool == "Available",
        pool,
    )


def _shown(at: float) -> float:
    """A time as it is shown, to the millisecond: what a caller filters by is what a caller was shown."""
    return round(at, 3)


def _described(document: Document, describe: Describe) -> bytes | None:
    return describe(document) if isinstance(document, Algorithm) else None
