"""Several hosts of one training job: one archive, one failure, and nobody waits for the dead."""

from sagestone.domain.assignment import Host
from tests.contract.training.training_instance import Ground, TrainingInstance


def _hosts(ground: Ground, network: str, *programs: str) -> list[TrainingInstance]:
    return [
        TrainingInstance(ground, program, host=Host(number=number, count=len(programs)), network=network, grace=1.0)
        for number, program in enumerate(programs, start=1)
    ]


def test_two_hosts_meet_and_their_models_are_one_archive(ground: Ground, network: str) -> None:
    first, second = _hosts(
        ground,
        network,
        """
        mkfifo /tmp/input; exec 3<>/tmp/input  # with an input that ends, nc may hang up before it has read a byte
        nc -l -p 5000 <&3 > /opt/ml/model/heard
        echo 1 > /opt/ml/model/both
        cat /opt/ml/input/config/resourceconfig.json
        """,
        """
        echo "from $(hostname)" > /tmp/word
        until nc algo-1 5000 < /tmp/word; do sleep 0.1; done
        mkdir /opt/ml/model/deep; echo 2 > /opt/ml/model/both; echo second > /opt/ml/model/deep/own
        echo 2 > /opt/ml/output/data/two
        """,
    )
    first.start()
    second.start()
    assert [host.outcome().ending for host in (first, second)] == ["Completed", "Completed"]
    assert first.outcome().artifact_uri == "s3://bucket/out/job/output/model.tar.gz"
    assert second.outcome().artifact_uri is None
    assert ground.archive("out/job/output/model.tar.gz") == {
        "heard": b"from algo-2\n",
        "both": b"2\n",
        "deep/own": b"second\n",
    }
    assert ground.archive("out/job/output/output.tar.gz") == {"two": b"2\n"}
    assert '"network_interface_name": "eth0"' in first.log()[0]
    assert "Uploading" not in second.stages()
    assert not first.left_behind()
    assert not second.left_behind()


def test_the_first_host_that_fails_ends_the_others(ground: Ground, network: str) -> None:
    first, second = _hosts(
        ground,
        network,
        "echo kept > /opt/ml/model/one; trap '' TERM; while :; do sleep 0.05; done",
        "echo broken >&2; exit 7",
    )
    first.start()
    second.start()
    outcomes = [host.outcome() for host in (first, second)]
    assert [outcome.ending for outcome in outcomes] == ["Failed", "Failed"]
    assert {outcome.failure.reason for outcome in outcomes if outcome.failure} == {
        "AlgorithmError: broken, exit code: 7 (algo-2)"
    }
    assert outcomes[1].exit_code == 7
    if outcomes[0].exit_code is None:  # the other was quicker than its program could begin
        return
    assert outcomes[0].exit_code == 137
    assert ground.archive("out/job/output/model.tar.gz") == {"one": b"kept\n"}


def test_a_leader_that_is_killed_collects_after_its_restart(ground: Ground, network: str) -> None:
    first, second = _hosts(
        ground, network, "echo 1 > /opt/ml/model/one", "echo ready; sleep 1; echo 2 > /opt/ml/model/two"
    )
    first.start()
    second.start()
    second.await_line("ready")
    first.await_true((first.files.rendezvous / "algo-1.json").exists, "the verdict of the first host")
    first.kill()
    assert second.outcome().ending == "Completed"
    assert first.run().ending == "Completed"
    assert ground.archive("out/job/output/model.tar.gz") == {"one": b"1\n", "two": b"2\n"}
