"""JSON values as text: parts are taken out and put in without reading numbers or texts, so these stay as written.

A value that is nested deeper than Python's stack is (about 1,000) raises RecursionError in any of these; a name that is
no UTF-8, which `checked` lets pass, raises UnicodeDecodeError where the object is read.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from sagestone.domain.json_path import Indexes, Names, Step, is_single
from sagestone.inference.record_error import BadRecord

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ARRAY = msgspec.json.Decoder(list[Raw])
_ANY = msgspec.json.Decoder(Raw)
_encode = msgspec.json.Encoder().encode


def checked(text: bytes) -> bytes:
    """The value without white space around it; raises BadRecord where the text is not one JSON value."""
    try:
        return bytes(_ANY.decode(text)).strip()
    except msgspec.DecodeError as error:
        raise BadRecord(str(error)) from error


def on_one_line(text: bytes) -> bytes:
    """The value with no newline in it."""
    return text if b"\n" not in text and b"\r" not in text else msgspec.json.format(text, indent=-1)


def joined(value: bytes, prediction: bytes) -> bytes:
    """The input with the prediction as `SageMakerOutput`; another value than an object becomes `SageMakerInput`."""
    return with_members(value, {"SageMakerOutput": prediction}, "SageMakerInput")


def with_members(value: bytes, members: Mapping[str, bytes], name: str) -> bytes:
    """An object with more members; a value that is no object becomes the member `name` of a new one."""
    object_ = _OBJECT.decode(value) if value.startswith(b"{") else {name: Raw(value)}
    object_.update({key: Raw(text) for key, text in members.items()})
    return _encode(object_)


def select(value: bytes, steps: Sequence[Step]) -> bytes:
    """What a path selects: the value itself where each step leads to one, else an array of all that were found.

    Names at the end (`['a','b']`) give an object with these members. Raises BadRecord where something named is missing.
    """
    if not steps:
        return value
    several = [step for step in steps if not is_single(step)]
    if not several:
        for step in steps:
            (value,) = _children(value, step).values()
        return value
    if len(several) == 1 and isinstance(steps[-1], Names) and several[0] is steps[-1]:
        for step in steps[:-1]:
            (value,) = _children(value, step).values()
        return _encode({name: Raw(child) for name, child in _children(value, steps[-1]).items()})
    found = [value]
    for step in steps:
        found = [child for each in found for child in _children(each, step).values()]
    return b"[" + b",".join(found) + b"]"


def _children(value: bytes, step: Step) -> dict[str, bytes]:
    """What one step selects of a value, in order."""
    if isinstance(step, Names):
        if not value.startswith(b"{"):
            raise BadRecord(f"there is no member '{step.names[0]}': it is no object")
        members = _OBJECT.decode(value)
        missing = [name for name in step.names if name not in members]
        if missing:
            raise BadRecord(f"there is no member '{missing[0]}'")
        return {name: bytes(members[name]) for name in step.names}
    if value.startswith(b"["):
        elements = _ARRAY.decode(value)
        try:
            places = step.positions(len(elements)) if isinstance(step, Indexes) else list(range(len(elements)))
        except IndexError as error:
            raise BadRecord(f"{error} elements") from error
        return {str(number): bytes(elements[place]) for number, place in enumerate(places)}
    if isinstance(step, Indexes):
        raise BadRecord("it is no array, so it has no elements")
    return {name: bytes(child) for name, child in _OBJECT.decode(value).items()} if value.startswith(b"{") else {}
