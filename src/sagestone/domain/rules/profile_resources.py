"""Rules of a training job's ResourceConfig and StoppingCondition."""

from collections.abc import Iterator

from sagestone.domain.instance import UnknownInstanceType, instance_facts
from sagestone.domain.place import Place, repeated
from sagestone.shapes.violation import Violation

#: Longest MaxRuntimeInSeconds: 28 days, as the API documents it.
LONGEST_RUN = 28 * 86400

#: Most instances of a training job, of all its groups together. The API names no bound, an account's quota is one (20
#: unless it is raised); a job's record has a line for each of them.
MOST_INSTANCES = 1000

_AT_LEAST_ONE = "Member must have value greater than or equal to 1"
_NOT_DISTRIBUTED = "the specification does not say SupportsDistributedTraining"

#: Members of ResourceConfig that are refused wherever they say something.
LATER = {
    "TrainingPlanArn": "there are no training plans here",
    "InstancePlacementConfig": "instances cannot be placed by hand",
    "InstancePreferences": "one instance type must be chosen; use InstanceType and InstanceCount",
    "SelectedInstanceType": "the service fills it; leave it out",
    "SelectedInstanceCount": "the service fills it; leave it out",
}


def resource_violations(training: Place, resources: Place) -> Iterator[Violation]:
    """The instances are among those the specification supports, and as many as it supports.

    `training` is absent where an image stands for itself: it supports whatever there is.
    """
    later = [resources.member(name).unsupported(why) for name, why in LATER.items() if resources.member(name)]
    yield from later
    kind, count = resources.member("InstanceType"), resources.member("InstanceCount")
    groups = list(resources.member("InstanceGroups").elements())
    if not groups and not resources.member("InstancePreferences"):
        if kind.value is None:
            yield kind.breaks("Member must not be null: a training job needs an instance type")
        if not count.value:
            yield count.breaks(f"{_AT_LEAST_ONE}: a training job needs an instance")
    if groups:
        yield from _group_violations(resources, groups)
    elif (count.value or 0) > MOST_INSTANCES:
        yield count.breaks(f"Member must have value less than or equal to {MOST_INSTANCES}")
    kinds = [kind, *(group.member("InstanceType") for group in groups)]
    types = training.member("SupportedTrainingInstanceTypes").value or []
    for each in kinds:
        yield from instance_type_violations(each, types, "SupportedTrainingInstanceTypes")
    if training.value is not None and not training.member("SupportsDistributedTraining").value:
        if (count.value or 0) > 1:
            yield count.breaks(f"Member must be 1: {_NOT_DISTRIBUTED}")
        if sum(group.value["InstanceCount"] for group in groups) > 1:
            yield resources.member("InstanceGroups").breaks(f"Member must have one instance: {_NOT_DISTRIBUTED}")
    yield from _volume_violations(kinds, resources.member("VolumeKmsKeyId"))


def _group_violations(resources: Place, groups: list[Place]) -> Iterator[Violation]:
    """Groups say all about the instances, each by a name of its own, and none of them is kept warm."""
    whole = resources.member("InstanceGroups")
    if resources.member("InstanceType") or resources.member("InstanceCount").value:
        yield whole.breaks("InstanceType or InstanceCount cannot be specified with InstanceGroups")
    if resources.member("KeepAlivePeriodInSeconds").value:
        yield resources.member("KeepAlivePeriodInSeconds").breaks(
            "Member must be 0: instances of InstanceGroups cannot be kept in a warm pool"
        )
    yield from repeated((group.member("InstanceGroupName") for group in groups), "group name")
    for group in groups:
        if not group.value["InstanceCount"]:
            yield group.member("InstanceCount").breaks(f"{_AT_LEAST_ONE}: a group has instances")
    if sum(group.value["InstanceCount"] for group in groups) > MOST_INSTANCES:
        yield whole.breaks(f"Member must have {MOST_INSTANCES} instances at most, all groups together")


def instance_type_violations(kind: Place, types: list[str], member: str) -> Iterator[Violation]:
    """The type is one of the list (an absent or empty one declares nothing), and its size is known here."""
    if kind.value is None:
        return
    if types and kind.value not in types:
        yield kind.breaks(f"Member must be one of {member}: [{', '.join(types)}]")
    try:
        instance_facts(kind.value)
    except UnknownInstanceType as error:
        yield kind.unsupported(str(error))


def stopping_violations(stopping: Place) -> Iterator[Violation]:
    """The whole wait is no shorter than the run, and the run no longer than 28 days."""
    run, wait = stopping.member("MaxRuntimeInSeconds"), stopping.member("MaxWaitTimeInSeconds")
    if run.value is not None and run.value > LONGEST_RUN:
        yield run.breaks(f"Member must have value less than or equal to {LONGEST_RUN}")
    longest = 86400 if run.value is None else run.value
    if wait.value is not None and wait.value < longest:
        default = ", its default" if run.value is None else ""
        yield wait.breaks(f"Member must be greater than or equal to MaxRuntimeInSeconds, which is {longest}{default}")


def _volume_violations(kinds: list[Place], key: Place) -> Iterator[Violation]:
    if not key:
        return
    local = [kind.value for kind in kinds if kind.value is not None and _has_local_storage(kind.value)]
    if local:
        yield key.breaks(f"Member must be empty: {local[0]} keeps its data on local storage, which has no key")


def _has_local_storage(instance_type: str) -> bool:
    try:
        return instance_facts(instance_type).local_storage_gb is not None
    except UnknownInstanceType:
        return False
