"""Augmented manifests: JSON Lines whose attributes are streamed, one after the other, line by line.

    {"source-ref": "s3://bucket/image.png", "label": 7, "box": {"x": 1}}

AttributeNames says which attributes, in which order. One whose name ends in `-ref` is the URI of an object, whose bytes
are sent. Of any other the value is sent as text: a string without its quotes, anything else as JSON, just as it stands
in the manifest. Attributes that are not listed are passed over; so are lines of white space.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from sagestone.channels.elements import Item, Reference, Value
from sagestone.s3.listing import BadS3Input
from sagestone.s3.uri import S3Uri

LONGEST_LINE_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_attributes = msgspec.json.Decoder(dict[str, msgspec.Raw])
_string = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """What a line sends: for each attribute its text, or its URI where it names an object."""

    number: int
    attributes: tuple[tuple[bool, str], ...]  # whether it names an object, and what it says


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ManifestLine).decode


def manifest_lines(pieces: Iterable[bytes], manifest: S3Uri, names: Sequence[str]) -> Iterator[bytes]:
    """Each line of the manifest as it is kept for the job; raises BadS3Input with the manifest's URI and the line.

    One without any line but white ones is refused too.
    """
    any_found = False
    for number, line in enumerate(_split(pieces, manifest), start=1):
        if number == 1:
            line = line.removeprefix(_BOM)
        if not line.isspace() and line:
            any_found = True
            yield _encode(_parsed(line, number, manifest, names))
    if not any_found:
        raise BadS3Input(f'The augmented manifest "{manifest}" has no lines. Expected: one JSON object a line.')


def line_items(kept: bytes, manifest: S3Uri) -> Iterator[Item]:
    """What a kept line sends."""
    line = _decode(kept)
    for is_reference, text in line.attributes:
        if is_reference:
            yield Reference(S3Uri.parse(text), f"line {line.number} of {manifest}")
        else:
            yield Value(text.encode())


def _parsed(line: bytes, number: int, manifest: S3Uri, names: Sequence[str]) -> ManifestLine:
    try:
        line.decode()
        found = _attributes.decode(line)
    except UnicodeDecodeError as error:
        raise _bad(manifest, number, f"is not UTF-8: {error}") from error
    except msgspec.ValidationError as error:
        raise _bad(manifest, number, f"is no JSON object: {_shown(line)}") from error
    except msgspec.DecodeError as error:
        raise _bad(manifest, number, f"is not JSON ({error}): {_shown(line)}") from error
    except RecursionError as error:
        raise _bad(manifest, number, f"is nested too deeply: {_shown(line)}") from error
    attributes = []
    for name in names:
        raw = found.get(name)
        if raw is None:
            raise _bad(
                manifest, number, f"has no attribute {name!r}, which AttributeNames lists; it has {sorted(found)}"
            )
        attributes.append(_attribute(name, bytes(raw), number, manifest))
    return ManifestLine(number, tuple(attributes))


def _attribute(name: str, raw: bytes, number: int, manifest: S3Uri) -> tuple[bool, str]:
    try:
        text = _string.decode(raw) if raw.startswith(b'"') else raw.decode()
    except msgspec.DecodeError as error:
        raise _bad(manifest, number, f"has an attribute {name!r} that is not JSON: {error}") from error
    if not name.endswith("-ref"):
        return False, text
    try:
        place = S3Uri.parse(text)
    except ValueError as error:
        raise _bad(manifest, number, f"has {_shown(raw)} as {name!r}, which is no S3 URI") from error
    if not raw.startswith(b'"') or not place.key:
        raise _bad(manifest, number, f"has {_shown(raw)} as {name!r}, where the URI of an object is expected")
    return True, text


def _split(pieces: Iterable[bytes], manifest: S3Uri) -> Iterator[bytes]:
    rest = bytearray()
    number = 1
    for piece in pieces:
        end = piece.find(b"\n")
        rest += piece[: end if end >= 0 else None]
        if end >= 0:
            yield bytes(rest)
            *lines, last = piece[end + 1 :].split(b"\n")
            yield from lines
            number += 1 + len(lines)
            rest = bytearray(last)
        if len(rest) > LONGEST_LINE_BYTES:
            raise _bad(manifest, number, f"has more than {LONGEST_LINE_BYTES} bytes. Is it JSON Lines?")
    if rest:
        yield bytes(rest)


def _shown(text: bytes) -> str:
    return repr(text[:120].decode(errors="replace"))


def _bad(manifest: S3Uri, number: int, what: str) -> BadS3Input:
    return BadS3Input(f'Line {number} of the augmented manifest "{manifest}" {what}')
