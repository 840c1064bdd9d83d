"""A channel's paths in memory, and the messages by which the kernel learns of them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.channels.fuse import protocol
from sagestone.channels.fuse.protocol import ROOT, Code
from sagestone.channels.fuse.tree import Clash, Directory, ObjectTree
from sagestone.s3.client import SourceObject
from sagestone.s3.uri import S3Uri

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=5).filter(
    lambda name: name not in (".", "..")
)


def _object(size: int = 1) -> SourceObject:
    return SourceObject(S3Uri("b", "k"), size, "e")


@given(paths=st.sets(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=20))
def test_every_path_is_found_again_and_no_other(paths: set[str]) -> None:
    tree = ObjectTree(7)
    kept: dict[str, int] = {}
    for path in sorted(paths):
        clashes = any(path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in kept)
        try:
            tree.add(path, _object(len(path)))
            assert not clashes
            kept[path] = len(path)
        except Clash:
            assert clashes
    assert dict(_walk(tree)) == kept
    assert (tree.files, tree.size) == (len(kept), sum(kept.values()))


def _walk(tree: ObjectTree, node: int = ROOT, above: str = "") -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    directory = tree.node(node)
    assert isinstance(directory, Directory)
    for name, below in tree.entries(directory, 2, 1000):
        assert tree.child(node, name) == below
        path = above + name.decode()
        attributes = tree.attributes(below)
        assert attributes is not None
        found += _walk(tree, below, f"{path}/") if attributes.is_directory else [(path, attributes.size)]
    return found


def test_a_path_is_taken_once() -> None:
    tree = ObjectTree(0)
    tree.add("a/b", _object())
    for path in ("a/b", "a", "a/b/c"):
        with pytest.raises(Clash):
            tree.add(path, _object())


def test_messages_have_the_lengths_of_the_kernels() -> None:
    """The sizes stand in linux/fuse.h: 64 for init, 128 for an entry, 104 for attributes, 80 for a file system."""
    tree = ObjectTree(0)
    tree.add("name", _object())
    attributes = tree.attributes(2)
    assert attributes is not None
    offered = struct.pack("<IIII", 7, 45, 131072, 0xFFFFFFFF)
    assert len(protocol.answer_init(memoryview(offered))) == 64
    assert len(protocol.entry(attributes)) == len(protocol.entry(None)) == 128
    assert len(protocol.attributes_out(attributes)) == 104
    assert len(protocol.opened(1)) == 16
    assert len(protocol.statfs(1, 1)) == 80
    assert len(protocol.directory_entry(b"12345678", 2, attributes, 1, plus=False)) == 32
    assert len(protocol.directory_entry(b"123456789", 2, attributes, 1, plus=True)) == 128 + 40


def test_a_request_is_read_as_it_came() -> None:
    message = struct.pack("<IIQQIIIHH", 45, 1, 99, 7, 0, 0, 0, 0, 0) + b"name\0"
    request = protocol.read_request(message)
    assert (request.unique, request.code, request.node) == (99, Code.LOOKUP, 7)
    assert protocol.name_of(request.body) == b"name"
