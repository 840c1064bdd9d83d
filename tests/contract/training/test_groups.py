"""A cluster of two instance types on real containers: what each host is told, and which objects it receives."""

import json
from dataclasses import replace

from sagestone.domain.assignment import Host
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import InstanceGroup
from tests.contract.training.training_instance import Ground, TrainingInstance

GROUPS = (
    InstanceGroup(name="data", instance_type="ml.c5.xlarge", instance_count=1),
    InstanceGroup(name="training", instance_type="ml.m5.large", instance_count=2),
)
ALL = Channel(
    name="all", s3_data_type="S3Prefix", s3_uri="s3://bucket/in/", distribution="ShardedByS3Key", input_mode="File"
)
CHANNELS = (
    ALL,
    replace(ALL, name="weights", s3_uri="s3://bucket/weights/", instance_groups=("training",)),
    replace(ALL, name="stream", input_mode="Pipe", instance_groups=("training",)),
    replace(ALL, name="whole", distribution="FullyReplicated", instance_groups=("data",)),
)
#: Each host leaves what it was told and what it has, below a directory of its own name.
PROGRAM = """
    cd /opt/ml/input; own=/opt/ml/model/$(hostname); mkdir $own
    cp config/resourceconfig.json config/inputdataconfig.json $own
    (cd data; find . | grep -v stream | sort) > $own/found
    [ -p data/stream_0 ] && cat data/stream_0 > $own/stream
    for sidecar in data/*-manifest; do wc -l < $sidecar; done > $own/lines
"""


def test_each_group_gets_its_channels_and_a_deal_among_its_hosts(ground: Ground, network: str) -> None:
    for number in range(4):
        ground.put(f"in/{number}", str(number).encode())
    ground.put("weights/only", b"x")  # fewer objects than hosts
    hosts = [
        TrainingInstance(
            ground,
            PROGRAM,
            host=Host(number=number, count=3),
            network=network,
            channels=CHANNELS,
            instance_type="",
            instance_groups=GROUPS,
        )
        for number in (1, 2, 3)
    ]
    for host in hosts:
        host.start()
    assert [host.outcome().ending for host in hosts] == ["Completed"] * 3
    left = ground.archive("out/job/output/model.tar.gz")

    def lines(name: str) -> list[str]:
        content = left[name]
        assert isinstance(content, bytes)
        return content.decode().split()

    assert lines("algo-1/found") == [
        ".", "./all", "./all-manifest", "./all/0", "./all/3",
        "./whole", "./whole-manifest", "./whole/0", "./whole/1", "./whole/2", "./whole/3",
    ]  # fmt: skip
    assert lines("algo-2/found") == [
        ".", "./all", "./all-manifest", "./all/1", "./weights", "./weights-manifest", "./weights/only",
    ]  # fmt: skip
    # nothing is left for the third host: the directory is there and empty, the sidecar tells of the object
    assert lines("algo-3/found") == [".", "./all", "./all-manifest", "./all/2", "./weights", "./weights-manifest"]
    assert [lines(f"algo-{number}/lines") for number in (1, 2, 3)] == [["5", "5"], ["5", "2"], ["5", "2"]]
    told = [json.loads(left[f"algo-{number}/resourceconfig.json"]) for number in (1, 2, 3)]
    assert [(each["current_host"], each["current_group_name"], each["current_instance_type"]) for each in told] == [
        ("algo-1", "data", "ml.c5.xlarge"),
        ("algo-2", "training", "ml.m5.large"),
        ("algo-3", "training", "ml.m5.large"),
    ]
    assert {json.dumps(each["instance_groups"]) for each in told} == {
        json.dumps(
            [
                {"instance_group_name": "data", "instance_type": "ml.c5.xlarge", "hosts": ["algo-1"]},
                {"instance_group_name": "training", "instance_type": "ml.m5.large", "hosts": ["algo-2", "algo-3"]},
            ]
        )
    }
    told = [json.loads(left[f"algo-{number}/inputdataconfig.json"]) for number in (1, 2, 3)]
    named = ["all", "weights", "stream"]
    assert [list(each) for each in told] == [["all", "whole"], named, named]
    # a streamed channel is dealt out over the same hosts
    assert "algo-1/stream" not in left
    assert [left[f"algo-{number}/stream"] for number in (2, 3)] == [b"02", b"13"]
