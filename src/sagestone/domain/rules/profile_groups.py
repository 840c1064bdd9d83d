"""Rules of S3DataSource.InstanceGroupNames: which groups of the job's instances receive a channel."""

from collections.abc import Iterator

from sagestone.domain.place import Place, repeated
from sagestone.shapes.violation import Violation


def group_name_violations(job: Place) -> Iterator[Violation]:
    """Each name that a channel gives, once, is one of the job's ResourceConfig.InstanceGroups."""
    groups = job.at("ResourceConfig", "InstanceGroups").elements()
    known = [group.value["InstanceGroupName"] for group in groups]
    there = f"[{', '.join(known)}]" if known else "the job has none"
    for channel in job.member("InputDataConfig").elements():
        names = list(channel.at("DataSource", "S3DataSource", "InstanceGroupNames").elements())
        yield from repeated(iter(names), "group name")
        for name in names:
            if name.value not in known:
                yield name.breaks(f"Member must be one of ResourceConfig.InstanceGroups: {there}")
