"""Rules of TrainingSpecification.TrainingChannels that the service model cannot say."""

from collections.abc import Iterator

from sagestone.domain.place import Place, repeated_members
from sagestone.shapes.violation import Violation


def channel_violations(training: Place) -> Iterator[Violation]:
    """Channel names are unique. Every input mode may be declared, also one that a profile cannot use yet."""
    channels = training.member("TrainingChannels")
    yield from repeated_members(channels, "Name", "channel name")
