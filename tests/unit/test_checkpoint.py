"""The CheckpointConfig and TensorBoardOutputConfig of a request: what they come to, and which paths they may name."""

import pytest

from sagestone.domain.checkpoint import Checkpoint, checkpoint_of
from sagestone.domain.place import Place
from sagestone.domain.rules.checkpoint import kept_directory_violations
from sagestone.domain.tensorboard import TensorBoard, tensorboard_of

CONFIGS = ("CheckpointConfig", "TensorBoardOutputConfig")


def test_what_a_config_comes_to() -> None:
    assert checkpoint_of(None) is None
    default = Checkpoint(s3_uri="s3://b/c", local_path="/opt/ml/checkpoints")
    assert checkpoint_of({"S3Uri": "s3://b/c"}) == checkpoint_of({"S3Uri": "s3://b/c", "LocalPath": ""}) == default
    assert checkpoint_of({"S3Uri": "s3://b/c", "LocalPath": "/state/"}) == Checkpoint(
        s3_uri="s3://b/c", local_path="/state/"
    )


def test_what_a_tensorboard_config_comes_to() -> None:
    assert tensorboard_of(None) is None
    board = tensorboard_of({"S3OutputPath": "s3://b/boards/"})
    assert board == TensorBoard(s3_output_path="s3://b/boards/", local_path="/opt/ml/output/tensorboard")
    assert board.place("My-Job") == "s3://b/boards/My-Job/tensorboard-output/"


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(
    "path", ["/opt/ml/checkpoints/", "/state", "/opt/ml/output/tensors", "/opt/ml/model-states", "/develop", "/..a"]
)
def test_paths_that_will_do(config: str, path: str) -> None:
    assert list(kept_directory_violations(Place({config: {"LocalPath": path}}))) == []


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("checkpoints", "Member must be an absolute path without . and .."),
        ("/opt/../etc", "Member must be an absolute path without . and .."),
        ("/./state", "Member must be an absolute path without . and .."),
        ("/", "Member must not cover /opt/ml/input, which the container needs as it is"),
        ("/opt/ml", "Member must not cover /opt/ml/input, which the container needs as it is"),
        ("/opt//ml/model/", "Member must not cover /opt/ml/model, which the container needs as it is"),
        ("/opt/ml/output", "Member must not cover /opt/ml/output/data, which the container needs as it is"),
        ("/opt/ml/input/data/train", "Member must not cover /opt/ml/input, which the container needs as it is"),
        ("/proc/self", "Member must not cover /proc, which the container needs as it is"),
        ("/dev/shm", "Member must not cover /dev, which the container needs as it is"),
    ],
)
def test_paths_that_will_not(config: str, path: str, rule: str) -> None:
    (violation,) = kept_directory_violations(Place({config: {"LocalPath": path}}))
    member = f"{config[0].lower()}{config[1:]}.localPath"
    assert violation.text == f"Value '{path}' at '{member}' failed to satisfy constraint: {rule}"


@pytest.mark.parametrize(
    ("kept", "shown"), [(None, "/opt/ml/checkpoints/board"), ("/state/", "/state"), ("/state/a", "/state")]
)
def test_neither_directory_lies_in_the_other(kept: str | None, shown: str) -> None:
    job = {"CheckpointConfig": {"LocalPath": kept}, "TensorBoardOutputConfig": {"LocalPath": shown}}
    (violation,) = kept_directory_violations(Place(job))
    assert violation.text.startswith(f"Value '{shown}' at 'tensorBoardOutputConfig.localPath' failed to satisfy")
    apart = {"CheckpointConfig": {"LocalPath": "/state"}, "TensorBoardOutputConfig": {"LocalPath": "/state-2"}}
    assert list(kept_directory_violations(Place(apart))) == []
