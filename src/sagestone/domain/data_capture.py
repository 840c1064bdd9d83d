"""Rules of a transform job's DataCaptureConfig."""

from collections.abc import Iterator

from sagestone.domain.content_format import FORMATS, format_of
from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation


def data_capture_violations(request: Place) -> Iterator[Violation]:
    """What DataCaptureConfig breaks; nothing where there is none. `request` has TransformOutput beside it."""
    capture, accept = request.member("DataCaptureConfig"), request.at("TransformOutput", "Accept")
    if capture.member("GenerateInferenceId").value and format_of(accept.value) is None:
        yield accept.breaks(f"Member must be one of [{', '.join(FORMATS)}] where GenerateInferenceId is true")
