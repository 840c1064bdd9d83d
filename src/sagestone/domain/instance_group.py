"""The instances of a training job as groups of one type each, and who among them receives a channel.

Hosts are numbered through: with groups of 2 and 3 instances the first has algo-1 and algo-2, the second algo-3 to
algo-5. A job without InstanceGroups is one group.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

PLAIN_CLUSTER: Final = "homogeneousCluster"  # the name of the one group of a job without InstanceGroups (observed)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceGroup:
    """One entry of ResourceConfig.InstanceGroups (shape InstanceGroup)."""

    name: str
    instance_type: str
    instance_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A host's place among those that receive a channel: the `number`-th (from 1) of `count`."""

    number: int
    count: int


def group_hosts(groups: Sequence[InstanceGroup]) -> tuple[tuple[int, ...], ...]:
    """The numbers of the hosts of each group."""
    hosts, first = [], 1
    for group in groups:
        hosts.append(tuple(range(first, first + group.instance_count)))
        first += group.instance_count
    return tuple(hosts)


def group_of(groups: Sequence[InstanceGroup], host: int) -> InstanceGroup:
    """The group that has algo-<host>; raises ValueError where none has."""
    for group, hosts in zip(groups, group_hosts(groups), strict=True):
        if host in hosts:
            return group
    raise ValueError(f"there is no algo-{host} in {[group.name for group in groups]}")


def share_of(groups: Sequence[InstanceGroup], receiving: Collection[str], host: int) -> Share | None:
    """The place of algo-<host> among the hosts of the groups named `receiving` (empty: of all groups).

    None where its group is not named: that host does not get the channel at all (S3DataSource.InstanceGroupNames).
    """
    among = [
        number
        for group, hosts in zip(groups, group_hosts(groups), strict=True)
        if not receiving or group.name in receiving
        for number in hosts
    ]
    return Share(number=among.index(host) + 1, count=len(among)) if host in among else None
