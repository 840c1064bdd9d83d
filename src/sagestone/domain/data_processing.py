"""Rules of a transform job's DataProcessing: which formats can be filtered and joined, and with which paths."""

from collections.abc import Iterator

from sagestone.domain.content_format import FORMATS, format_of
from sagestone.domain.json_path import BadPath, parse_filter
from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation


def data_processing_violations(request: Place) -> Iterator[Violation]:
    """What DataProcessing breaks beside TransformInput and TransformOutput; nothing where it filters and joins nothing.

    `request` is a CreateTransformJob request, or anything with these three members.
    """
    processing = request.member("DataProcessing")
    taken, given = request.at("TransformInput", "ContentType"), request.at("TransformOutput", "Accept")
    filtered = [
        (name, place, source)
        for name, place, source in (
            ("InputFilter", processing.member("InputFilter"), taken),
            ("OutputFilter", processing.member("OutputFilter"), given),
        )
        if place.value not in (None, "", "$")
    ]
    joins = processing.member("JoinSource").value == "Input"
    if joins:
        yield from _join_violations(request)
    for name, place, source in filtered:
        format_ = format_of(source.value)
        if format_ is None and not joins:
            yield source.breaks(f"Member must be one of [{', '.join(FORMATS)}] where {name} is given")
        elif format_ is not None:
            try:
                parse_filter(place.value, format_)
            except BadPath as error:
                yield place.breaks(f'Invalid {name}: "{place.value}". {error}')
    yield from _delimiter_violations(request, joins=joins, filtered=[name for name, _, _ in filtered])


def _join_violations(request: Place) -> Iterator[Violation]:
    taken, given = request.at("TransformInput", "ContentType"), request.at("TransformOutput", "Accept")
    for place in (taken, given):
        if format_of(place.value) is None:
            yield place.breaks(f"Member must be one of [{', '.join(FORMATS)}] where JoinSource is Input")
    if format_of(taken.value) != format_of(given.value):
        yield given.breaks(f"Member must be the same as {taken.path} where JoinSource is Input")


def _delimiter_violations(request: Place, *, joins: bool, filtered: list[str]) -> Iterator[Violation]:
    """Rows of CSV are lines, other formats may be whole objects; what is joined is split and assembled alike."""
    split, assemble = request.at("TransformInput", "SplitType"), request.at("TransformOutput", "AssembleWith")
    types = request.at("TransformInput", "ContentType").value, request.at("TransformOutput", "Accept").value
    told = False
    for place, type_, name in ((split, types[0], "InputFilter"), (assemble, types[1], "OutputFilter")):
        csv = format_of(type_) == "text/csv"
        if (joins or name in filtered) and (place.value or "None") not in (("Line",) if csv else ("None", "Line")):
            told = True
            yield place.breaks(
                f"Member must be {'Line' if csv else 'None or Line'} where DataProcessing filters or joins"
            )
    if joins and not told and (split.value or "None") != (assemble.value or "None"):
        yield assemble.breaks(f"Member must be the same as {split.path} where JoinSource is Input")
