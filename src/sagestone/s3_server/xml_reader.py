"""Reads the small XML bodies of requests: no entities, no document types, bounded in size and depth."""

from collections.abc import Iterator
from typing import Any, cast
from xml.etree import ElementTree

from sagestone.s3.storage.refusal import Refusal

LARGEST_BODY = 8 * 1024 * 1024
DEEPEST = 16
#: The largest document that can be used completes an upload of 10,000 parts with seven elements each; an empty element
#: takes forty times the memory of its bytes.
MOST_ELEMENTS = 100_000


class Node:
    """An element without its namespace."""

    def __init__(self, element: ElementTree.Element) -> None:
        self._element = element

    @property
    def name(self) -> str:
        return self._element.tag.rpartition("}")[2]

    @property
    def text(self) -> str:
        return self._element.text or ""

    def all(self, name: str) -> list["Node"]:
        """The children of that name."""
        return [child for child in map(Node, self._element) if child.name == name]

    def get(self, name: str) -> str | None:
        """The text of the first child of that name; None without one."""
        found = self.all(name)
        return found[0].text if found else None

    def check_children(self, allowed: set[str]) -> None:
        """Refuse an element that is not known here, naming it."""
        for child in map(Node, self._element):
            if child.name not in allowed:
                raise malformed(f"<{child.name}> is not known in <{self.name}>")


def read_document(body: bytes, root: str) -> Node:
    """The root element of a request body; raises Refusal MalformedXML."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise malformed("the body is not UTF-8") from error
    if "<!" in text:
        raise malformed("document types, entities, comments and CDATA sections are not accepted")
    parser: ElementTree.XMLPullParser[Any] = ElementTree.XMLPullParser(events=("start", "end"))
    depth = elements = 0
    top: ElementTree.Element | None = None
    try:
        for start in range(0, len(text), 65536):
            parser.feed(text[start : start + 65536])  # as text: no other encoding can be declared
            for event, found in cast(Iterator[tuple[str, ElementTree.Element]], parser.read_events()):
                top = found if top is None else top
                depth += 1 if event == "start" else -1
                elements += event == "start"
                if depth > DEEPEST:
                    raise malformed(f"elements lie deeper than {DEEPEST}")
            if elements > MOST_ELEMENTS:
                raise malformed(f"it has more than {MOST_ELEMENTS} elements")
        parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise malformed(str(error)) from error
    if top is None:
        raise malformed("the body is empty")
    node = Node(top)
    if node.name != root:
        raise malformed(f"<{root}> is expected, <{node.name}> was sent")
    return node


def malformed(why: str) -> Refusal:
    """S3's error for a bad body, with the reason."""
    return Refusal(
        "MalformedXML",
        f"The XML you provided was not well-formed or did not validate against our published schema: {why}.",
    )
