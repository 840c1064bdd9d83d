"""The messages between the Linux kernel and a file system in user space (`linux/fuse.h`), as far as reading needs them.

Pure: bytes in, bytes out. Every request begins with a header of 40 bytes, every answer with one of 16.
"""

import stat
import struct
from dataclasses import dataclass
from enum import IntEnum

MAJOR, MINOR = 7, 31
ROOT = 1  # node id of the directory that is mounted
READ_AHEAD = 4 * 1024 * 1024  # bytes that the kernel may ask for beyond what a program reads; it also has its own limit
FOR_EVER = 1 << 30  # seconds that the kernel may believe an answer: nothing here ever changes

_IN_HEADER = struct.Struct("<IIQQIIIHH")
_OUT_HEADER = struct.Struct("<IiQ")
_INIT_IN = struct.Struct("<IIII")
_INIT_OUT = struct.Struct("<IIIIHHIIHHI28x")
_ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
_ENTRY = struct.Struct("<QQQQII")
_ATTRIBUTES_OUT = struct.Struct("<QII")
_OPEN_OUT = struct.Struct("<QIi")
_READ_IN = struct.Struct("<QQI")
_RELEASE_IN = struct.Struct("<Q")
_ENTRY_OF_DIRECTORY = struct.Struct("<QQII")
_STATFS = struct.Struct("<QQQQQIIII24x")

_ASYNC_READ = 1 << 0
_READDIRPLUS = 1 << 13
_READDIRPLUS_AUTO = 1 << 14
_PARALLEL_DIRECTORIES = 1 << 18
_MAX_PAGES = 1 << 22
_WANTED = _ASYNC_READ | _READDIRPLUS | _READDIRPLUS_AUTO | _PARALLEL_DIRECTORIES | _MAX_PAGES
_KEEP_CACHE = 1 << 1
_CACHE_DIRECTORY = 1 << 3
_PAGES = 256  # of 4 KiB: what one read may ask for
_BLOCK = 4096


class Code(IntEnum):
    """What a request asks for."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    OPEN = 14
    READ = 15
    STATFS = 17
    RELEASE = 18
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42
    READDIRPLUS = 44


#: Requests that would change something, by number (SETATTR, SYMLINK, MKNOD, … , RENAME2, TMPFILE).
CHANGING = frozenset({4, 6, 8, 9, 10, 11, 12, 13, 16, 21, 24, 35, 43, 45, 47, 51})
#: Requests that are never answered.
SILENT = frozenset({Code.FORGET, Code.BATCH_FORGET})


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its number, what it asks for, of which node, and what follows the header."""

    unique: int
    code: int
    node: int
    body: memoryview


@dataclass(frozen=True, slots=True)
class Attributes:
    """What `stat` shows of a node; `changed_at` epoch seconds."""

    node: int
    size: int
    is_directory: bool
    changed_at: int

    @property
    def mode(self) -> int:
        return stat.S_IFDIR | 0o555 if self.is_directory else stat.S_IFREG | 0o444


def read_request(message: bytes) -> Request:
    """A request as it came from the kernel."""
    _, code, unique, node, *_ = _IN_HEADER.unpack_from(message)
    return Request(unique, code, node, memoryview(message)[_IN_HEADER.size :])


def answer_header(unique: int, size: int, error: int = 0) -> bytes:
    """What goes before `size` bytes of answer; `error` is a positive errno."""
    return _OUT_HEADER.pack(_OUT_HEADER.size + size, -error, unique)


def answer_init(body: memoryview) -> bytes:
    """What we can do, of what the kernel offers."""
    _, _, _, offered = _INIT_IN.unpack_from(body)
    flags = offered & _WANTED
    return _INIT_OUT.pack(MAJOR, MINOR, READ_AHEAD, flags, 64, 48, _BLOCK, 1_000_000_000, _PAGES, 0, 0)


def name_of(body: memoryview) -> bytes:
    """The name in a LOOKUP."""
    return bytes(body).rstrip(b"\0")


def read_wanted(body: memoryview) -> tuple[int, int, int]:
    """Handle, offset and size of a READ, READDIR or READDIRPLUS."""
    handle, offset, size = _READ_IN.unpack_from(body)
    return handle, offset, size


def handle_of(body: memoryview) -> int:
    """The handle in a RELEASE."""
    return int(_RELEASE_IN.unpack_from(body)[0])


def interrupted(body: memoryview) -> int:
    """The number of the request that nobody waits for any more, in an INTERRUPT."""
    return int(_RELEASE_IN.unpack_from(body)[0])


def open_flags(body: memoryview) -> int:
    """With which flags of open(2) an OPEN comes."""
    return int.from_bytes(body[:4], "little")


def entry(attributes: Attributes | None, *, is_final: bool = True) -> bytes:
    """The answer to a LOOKUP; None: there is nothing of that name, and with `is_final` never will be."""
    if attributes is None:
        return _ENTRY.pack(0, 0, FOR_EVER if is_final else 0, 0, 0, 0) + bytes(_ATTRIBUTES.size)
    return _ENTRY.pack(attributes.node, 0, FOR_EVER, FOR_EVER, 0, 0) + _attributes(attributes)


def attributes_out(attributes: Attributes) -> bytes:
    """The answer to a GETATTR."""
    return _ATTRIBUTES_OUT.pack(FOR_EVER, 0, 0) + _attributes(attributes)


def opened(handle: int, *, directory: bool = False) -> bytes:
    """The answer to an OPEN or OPENDIR: what was read once may stay in the kernel's cache."""
    return _OPEN_OUT.pack(handle, _KEEP_CACHE | (_CACHE_DIRECTORY if directory else 0), 0)


def directory_entry(name: bytes, node: int, attributes: Attributes | None, next_offset: int, *, plus: bool) -> bytes:
    """One entry of a READDIR answer; with `plus` of a READDIRPLUS answer, which looks the name up at once.

    None: it is a file, of which nothing else is known yet.
    """
    kind = (stat.S_IFDIR if attributes is not None and attributes.is_directory else stat.S_IFREG) >> 12
    plain = _ENTRY_OF_DIRECTORY.pack(node, next_offset, len(name), kind) + name
    plain += bytes(-len(plain) % 8)
    if not plus:
        return plain
    if attributes is None or name in (b".", b".."):
        return bytes(_ENTRY.size + _ATTRIBUTES.size) + plain
    return entry(attributes) + plain


def statfs(files: int, size: int) -> bytes:
    """The answer to a STATFS: so many files of so many bytes, and no room."""
    return _STATFS.pack(-(-size // _BLOCK), 0, 0, files, 0, _BLOCK, 255, _BLOCK, 0)


def _attributes(of: Attributes) -> bytes:
    blocks = -(-of.size // 512)
    at = of.changed_at
    links = 2 if of.is_directory else 1
    return _ATTRIBUTES.pack(of.node, of.size, blocks, at, at, at, 0, 0, 0, of.mode, links, 0, 0, 0, _BLOCK, 0)
