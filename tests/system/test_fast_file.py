"""FastFile from the call to the program: an algorithm that declares it, beside the embedded store."""

from typing import Any

from sagestone.channels.fuse.mount import mounts_below
from tests.system.service import RunningService
from tests.system.validation import job_of, reason, specification, validate

DECLARED = {
    "TrainingChannels": [
        {
            "Name": "train",
            "IsRequired": True,
            "SupportedContentTypes": ["text/csv"],
            "SupportedInputModes": ["FastFile"],
        }
    ]
}


def fast_file_request(name: str) -> dict[str, Any]:
    """A CreateAlgorithm request whose training reads its channel in FastFile mode."""
    return specification(name, "tests/train:1", training={"TrainingInputMode": "FastFile"}, specification=DECLARED)


def test_an_algorithm_that_declares_fast_file_is_validated_with_it(service: RunningService) -> None:
    description = validate(service, fast_file_request("fast"))
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    assert job_of(service, "training", "fast")["AlgorithmSpecification"]["TrainingInputMode"] == "FastFile"
    assert mounts_below(service.home) == []
