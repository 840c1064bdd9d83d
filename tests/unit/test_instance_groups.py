"""Hosts numbered through the groups of a cluster, and the deal of a channel over some of them."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sagestone.agent.opt_ml import config_files
from sagestone.channels.source import is_mine
from sagestone.domain.assign import assign
from sagestone.domain.assignment import Host, Limits, TrainingAssignment
from sagestone.domain.channel import Channel
from sagestone.domain.describe.training_job import describe_training_job
from sagestone.domain.instance_group import InstanceGroup, Share, group_hosts, group_of, share_of
from sagestone.domain.transition import new_training_job
from tests.documents import training_spec

TRAIN = Channel(
    name="train", s3_data_type="S3Prefix", s3_uri="s3://b/in", distribution="ShardedByS3Key", input_mode="File"
)
GROUPS = (
    InstanceGroup(name="data", instance_type="ml.c5.xlarge", instance_count=9),
    InstanceGroup(name="training", instance_type="ml.m5.large", instance_count=2),
)
SPEC = replace(
    training_spec(instances=11, instance_type=""),
    instance_groups=GROUPS,
    channels=(TRAIN, replace(TRAIN, name="weights", instance_groups=("training",))),
)

clusters = st.lists(st.integers(1, 6), min_size=1, max_size=5).map(
    lambda counts: tuple(
        InstanceGroup(name=f"group-{index}", instance_type="ml.m5.large", instance_count=count)
        for index, count in enumerate(counts)
    )
)


@given(groups=clusters, data=st.data(), objects=st.integers(0, 40))
def test_the_deal_is_over_the_hosts_of_the_named_groups_only(
    groups: tuple[InstanceGroup, ...], data: st.DataObject, objects: int
) -> None:
    receiving = data.draw(st.sets(st.sampled_from([group.name for group in groups])))
    hosts = range(1, sum(group.instance_count for group in groups) + 1)
    shares = {number: share_of(groups, receiving, number) for number in hosts}
    inside = [number for number in hosts if not receiving or group_of(groups, number).name in receiving]
    assert [number for number, share in shares.items() if share is not None] == inside
    dealt = {
        number: [index for index in range(objects) if is_mine(index, "ShardedByS3Key", share)]
        for number, share in shares.items()
        if share is not None
    }
    assert sorted(index for indices in dealt.values() for index in indices) == list(range(objects))
    assert max(map(len, dealt.values())) - min(map(len, dealt.values())) <= 1
    for place, number in enumerate(inside, start=1):
        assert shares[number] == Share(number=place, count=len(inside))


@given(groups=clusters)
def test_hosts_are_numbered_through(groups: tuple[InstanceGroup, ...]) -> None:
    numbers = [number for hosts in group_hosts(groups) for number in hosts]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [len(hosts) for hosts in group_hosts(groups)] == [group.instance_count for group in groups]
    with pytest.raises(ValueError, match="there is no algo-0"):
        group_of(groups, 0)


def _assignment(number: int) -> TrainingAssignment:
    host = Host(number=number, count=11)
    return TrainingAssignment(job=SPEC, host=host, region="r", created_at=0.0, network="job-net")


def test_resourceconfig_names_the_groups_and_the_own_one() -> None:
    hosts = ["algo-1", "algo-10", "algo-11", *(f"algo-{number}" for number in range(2, 10))]
    assert config_files(_assignment(10))["resourceconfig.json"] == {
        "current_host": "algo-10",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "training",
        "hosts": hosts,
        "instance_groups": [
            {
                "instance_group_name": "data",
                "instance_type": "ml.c5.xlarge",
                "hosts": [f"algo-{number}" for number in range(1, 10)],
            },
            {"instance_group_name": "training", "instance_type": "ml.m5.large", "hosts": ["algo-10", "algo-11"]},
        ],
        "network_interface_name": "eth0",
    }
    assert config_files(_assignment(9))["resourceconfig.json"]["current_group_name"] == "data"


def test_only_hosts_of_the_group_are_told_of_its_channel() -> None:
    assert list(config_files(_assignment(9))["inputdataconfig.json"]) == ["train"]
    assert list(config_files(_assignment(11))["inputdataconfig.json"]) == ["train", "weights"]
    assert _assignment(11).channels == (
        (SPEC.channels[0], Share(number=11, count=11)),
        (SPEC.channels[1], Share(number=2, count=2)),
    )


def test_each_host_of_a_mixed_cluster_has_its_own_limits() -> None:
    assert SPEC.instance_types == ("ml.c5.xlarge",) * 9 + ("ml.m5.large",) * 2
    limits = [Limits(cpus=float(number)) for number in range(11)]
    assigned = assign(new_training_job(SPEC, 0.0), limits=limits, network="n", region="r")
    assert [each.limits for each in assigned] == limits


def test_describe_shows_the_groups_as_they_were_given() -> None:
    given = {
        "InstanceGroups": [{"InstanceGroupName": "data", "InstanceType": "ml.c5.xlarge", "InstanceCount": 9}],
        "VolumeSizeInGB": 2,
    }
    job = new_training_job(replace(SPEC, request={"ResourceConfig": given}), 0.0)
    assert describe_training_job(job)["ResourceConfig"] == given
    plain = new_training_job(training_spec(), 0.0)
    assert describe_training_job(plain)["ResourceConfig"] == {
        "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 0,
    }  # fmt: skip
