"""Pipe mode on two hosts: who gets which objects, in which order, in which epoch."""

from typing import Any

from sagestone.domain.assignment import Host
from tests.contract.training.pipes import pipe
from tests.contract.training.training_instance import Ground, TrainingInstance

READ = "cd /opt/ml/input/data; for epoch in 0 1 2; do echo $(cat train_$epoch); done"
ALL = {f"{number:02}" for number in range(21)}


def _epochs(ground: Ground, network: str, **fields: Any) -> list[list[list[str]]]:
    """For each host, for each epoch: what it read, in order."""
    for number in range(21):
        ground.put(f"in/{number:02}", f"{number:02}\n".encode())
    channel = pipe(distribution="ShardedByS3Key", **fields)
    hosts = [
        TrainingInstance(ground, READ, host=Host(number=number, count=2), network=network, channels=(channel,)).start()
        for number in (1, 2)
    ]
    assert [host.outcome().ending for host in hosts] == ["Completed", "Completed"]
    return [[line.split() for line in host.log()] for host in hosts]


def test_shards_are_every_other_object_in_each_epoch(ground: Ground, network: str) -> None:
    first, second = _epochs(ground, network)
    assert first == [sorted(ALL)[0::2]] * 3
    assert second == [sorted(ALL)[1::2]] * 3


def test_shuffled_shards_are_dealt_anew_in_each_epoch(ground: Ground, network: str) -> None:
    first, second = _epochs(ground, network, shuffle_seed=11)
    for mine, other in zip(first, second, strict=True):
        assert len(mine) == 11
        assert set(mine) | set(other) == ALL
        assert len(mine) + len(other) == len(ALL)
    assert len({tuple(epoch) for epoch in first}) == 3
    assert len({frozenset(epoch) for epoch in first}) == 3


def test_a_host_without_objects_reads_an_empty_epoch(ground: Ground, network: str) -> None:
    ground.put("one/object", b"1\n")
    channel = pipe(prefix="one/", distribution="ShardedByS3Key")
    hosts = [
        TrainingInstance(ground, READ, host=Host(number=number, count=2), network=network, channels=(channel,)).start()
        for number in (1, 2)
    ]
    assert [host.outcome().ending for host in hosts] == ["Completed", "Completed"]
    assert [host.log() for host in hosts] == [["1", "1", "1"], ["", "", ""]]
