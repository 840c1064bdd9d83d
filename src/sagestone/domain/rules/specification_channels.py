"""Rules of TrainingSpecification.TrainingChannels that the service model cannot say."""

from collections.abc import Iterator

from sagestone.domain.place import Place, repeated
from sagestone.shapes.violation import Violation


def channel_violations(training: Place) -> Iterator[Violation]:
    """Channel names are unique. Every input mode may be declared, also one that a profile cannot use yet."""
    channels = training.member("TrainingChannels")
    yield from repeated((item.member("Name") for item in channels.elements()), "channel name")
