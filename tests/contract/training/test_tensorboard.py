"""TensorBoard output on real containers: in S3 while training runs, whole however it ends."""

import json

import pytest

from sagestone.domain.tensorboard import TensorBoard
from sagestone.s3.uri import S3Uri
from tests.contract.training.training_instance import Ground, TrainingInstance

BOARD = TensorBoard(s3_output_path="s3://bucket/boards")
PLACE = "boards/job/tensorboard-output/"
FOREVER = "while :; do sleep 0.05; done"


def _stored(ground: Ground) -> dict[str, bytes]:
    return {key.removeprefix(PLACE): ground.get(key) for key in ground.keys() if key.startswith(PLACE)}  # noqa: SIM118


def _sizes(ground: Ground) -> dict[str, int]:
    """What S3 has at this moment, while it may change: what is read then may just be replaced."""
    return {info.key.removeprefix(PLACE): info.size for info in ground.s3.list(S3Uri("bucket", PLACE))}


def test_events_are_there_while_training_runs_also_under_another_agent(ground: Ground) -> None:
    program = f"""
        cat /opt/ml/input/config/tensorboardoutputconfig.json; echo
        cd /opt/ml/output/tensorboard; mkdir run; echo 1 > run/events; until [ -e go ]; do sleep 0.05; done
        rm go; echo 2 >> run/events; trap 'echo 3 >> run/events; exit 0' TERM; echo ready; {FOREVER}
    """
    instance = TrainingInstance(ground, program, tensorboard=BOARD).start()
    instance.await_true(lambda: _sizes(ground) == {"run/events": 2}, "the first event in S3")
    instance.kill()
    (instance.files.opt_ml / "tensorboard" / "go").touch()
    instance.start()
    instance.await_true(lambda: _sizes(ground).get("run/events") == 4, "the second event in S3")
    instance.await_line("ready")
    instance.stop()
    assert instance.outcome().ending == "Stopped"
    assert _stored(ground)["run/events"] == b"1\n2\n3\n"
    told = {"S3OutputPath": "s3://bucket/boards", "LocalPath": "/opt/ml/output/tensorboard"}
    assert json.loads(instance.log()[0]) == told
    assert not instance.left_behind()


@pytest.mark.parametrize(("then", "ending"), [("exit 0", "Completed"), ("exit 3", "Failed")])
def test_however_it_ends_all_of_it_is_there(ground: Ground, then: str, ending: str) -> None:
    board = TensorBoard(s3_output_path="s3://bucket/boards/", local_path="/logs/")
    instance = TrainingInstance(ground, f"echo 1 > /logs/events; ls /logs; {then}", tensorboard=board)
    assert instance.run().ending == ending
    assert instance.log()[0] == "events"
    assert _stored(ground) == {"events": b"1\n"}
    assert not instance.left_behind()


def test_what_cannot_be_kept_fails_the_job(ground: Ground) -> None:
    board = TensorBoard(s3_output_path="s3://no-such-bucket/boards")
    instance = TrainingInstance(ground, "echo 1 > /opt/ml/output/tensorboard/events", tensorboard=board)
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith(
        "ClientError: Artifact upload failed:TensorBoard output: s3://no-such-bucket/boards/job/tensorboard-output/"
    )
