"""Rules of the host names of a pipeline's containers that the service model cannot say."""

from collections.abc import Iterator
from typing import Final

from sagestone.domain.place import Place, repeated_members
from sagestone.shapes.violation import Violation

#: Names that no container of a pipeline can have for the others, by their small letters.
_RESERVED: Final = {
    "localhost": "every container calls itself so",
    "data-log": "the log stream of that name tells what became of the objects",
}


def hostname_violations(containers: Place) -> Iterator[Violation]:
    """ContainerHostname is unique in a list of containers, and none of those that mean something else."""
    yield from repeated_members(containers, "ContainerHostname", "container host name")
    for container in containers.elements():
        name = container.member("ContainerHostname")
        why = _RESERVED.get(name.value.lower()) if name else None
        if why is not None:
            yield name.breaks(f"Member must be another name: {why}")
