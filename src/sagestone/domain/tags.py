"""Rules of tags that the service model cannot say."""

from collections.abc import Iterator, Mapping, Sequence

from sagestone.domain.place import Place, repeated_members
from sagestone.shapes.violation import Violation

#: Most tags that a resource may have (shape TagList).
MOST_TAGS = 50


def tag_violations(tags: Place) -> Iterator[Violation]:
    """Keys are unique in one request, and the prefix `aws:` is not for users."""
    yield from repeated_members(tags, "Key", "tag key")
    for item in tags.elements():
        key = item.member("Key")
        if str(key.value).lower().startswith("aws:"):
            yield key.breaks("Member must not begin with aws: which is reserved")


def tag_map(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """A TagList as a map, in its order."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """A map of tags as a TagList, in its order."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
