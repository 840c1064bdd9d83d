"""Rules of a validation profile against the specification of its own algorithm."""

from collections.abc import Iterator

from sagestone.domain.place import Place
from sagestone.domain.rules.profile_transform import transform_violations
from sagestone.domain.rules.training import training_violations
from sagestone.shapes.violation import Violation


def profile_violations(request: Place) -> Iterator[Violation]:
    """What the jobs of each profile would break; nothing where the request has no ValidationSpecification."""
    training = request.member("TrainingSpecification")
    inference = request.member("InferenceSpecification")
    for profile in request.at("ValidationSpecification", "ValidationProfiles").elements():
        definition = profile.member("TrainingJobDefinition")
        extra = training.member("AdditionalS3DataSource")
        if extra:
            yield extra.unsupported("the training job cannot be given an additional data source; use a channel")
        yield from training_violations(training, definition, definition.member("TrainingInputMode"))
        yield from _archive_violations(inference, profile)
        yield from transform_violations(inference, profile.member("TransformJobDefinition"))


def _archive_violations(inference: Place, profile: Place) -> Iterator[Violation]:
    """The transform reads the archive that the training uploads, unless its container brings another."""
    compression = profile.at("TrainingJobDefinition", "OutputDataConfig", "CompressionType")
    if compression.value != "NONE" or not profile.member("TransformJobDefinition"):
        return
    if any(not container.member("ModelDataUrl") for container in inference.member("Containers").elements()):
        yield compression.breaks("Member must be GZIP: the profile's transform reads the archive model.tar.gz")
