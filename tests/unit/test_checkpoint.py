"""The CheckpointConfig of a request: what it comes to, and which paths it may name."""

import pytest

from sagestone.domain.checkpoint import Checkpoint, checkpoint_of
from sagestone.domain.place import Place
from sagestone.domain.rules.checkpoint import checkpoint_violations


def test_what_a_config_comes_to() -> None:
    assert checkpoint_of(None) is None
    default = Checkpoint(s3_uri="s3://b/c", local_path="/opt/ml/checkpoints")
    assert checkpoint_of({"S3Uri": "s3://b/c"}) == checkpoint_of({"S3Uri": "s3://b/c", "LocalPath": ""}) == default
    assert checkpoint_of({"S3Uri": "s3://b/c", "LocalPath": "/state/"}) == Checkpoint(
        s3_uri="s3://b/c", local_path="/state/"
    )


@pytest.mark.parametrize(
    "path", ["/opt/ml/checkpoints/", "/state", "/opt/ml/output/tensors", "/opt/ml/model-states", "/develop", "/..a"]
)
def test_paths_that_will_do(path: str) -> None:
    assert list(checkpoint_violations(Place({"S3Uri": "s3://b/c", "LocalPath": path}))) == []


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
def test_paths_that_will_not(path: str, rule: str) -> None:
    (violation,) = checkpoint_violations(Place({"S3Uri": "s3://b/c", "LocalPath": path}))
    assert violation.text == f"Value '{path}' at 'localPath' failed to satisfy constraint: {rule}"
