"""Reads the pages of a listing ten times as fast as botocore does: with a million keys that is what one waits for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

_PAGE = "ListObjectsV2Output"


class QuickPages:
    """Botocore's maker of response parsers, whose parsers read pages of ListObjectsV2 themselves and pass on the rest.

    Of an object only Key, Size, ETag and LastModified are given.
    """

    def __init__(self, usual: Any) -> None:
        self._usual = usual

    def set_parser_defaults(self, **defaults: Any) -> None:
        self._usual.set_parser_defaults(**defaults)

    def create_parser(self, protocol_name: str) -> "_Parser":
        return _Parser(self._usual.create_parser(protocol_name))


class _Parser:
    def __init__(self, usual: Any) -> None:
        self._usual = usual

    def parse(self, response: dict[str, Any], shape: Any) -> Any:
        if shape is None or shape.name != _PAGE or response["status_code"] != 200:
            return self._usual.parse(response, shape)
        contents, rest = _objects(response["body"]), _without_objects(response["body"])
        if contents is None or rest is None:
            return self._usual.parse(response, shape)
        few = {**response, "body": rest}
        return {**self._usual.parse(few, shape), "Contents": contents}


@dataclass(frozen=True, slots=True)
class PageObject:
    """An object as a page writes it."""

    key: str
    size: int
    etag: str
    modified_at: datetime


def page_objects(page: ElementTree.Element) -> list[PageObject]:
    """The objects of a page; raises ValueError where one is written in another way than usual."""
    space = page.tag[: page.tag.rfind("}") + 1]
    key, size, etag, modified = (f"{space}{name}" for name in ("Key", "Size", "ETag", "LastModified"))
    found = []
    for each in page.iterfind(f"{space}Contents"):
        said = {member.tag: member.text or "" for member in each}  # looking for each by its name takes twice as long
        try:
            found.append(
                PageObject(said[key], int(said[size]), said.get(etag, ""), datetime.fromisoformat(said[modified]))
            )
        except KeyError as error:
            raise ValueError(f"an object without its {error}") from error
    return found


def _objects(body: bytes) -> list[dict[str, Any]] | None:
    """The objects of a page; None where it is written in a way that is left to botocore."""
    try:
        found = page_objects(ElementTree.fromstring(body))
    except (ElementTree.ParseError, ValueError):
        return None
    return [{"Key": each.key, "Size": each.size, "ETag": each.etag, "LastModified": each.modified_at} for each in found]


def _without_objects(body: bytes) -> bytes | None:
    """The rest of a page, whose objects stand together; None where something else stands among them."""
    first, last = body.find(b"<Contents>"), body.rfind(b"</Contents>")
    if first < 0:
        return body
    if body.find(b"<CommonPrefixes>", first, last) >= 0:
        return None
    return body[:first] + body[last + len(b"</Contents>") :]
