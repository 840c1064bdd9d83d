"""A service that uses another S3 endpoint: jobs read and write there, its own store stays off."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sagestone.channels.fuse.mount import complaint, mounts_below
from tests.system.service import RunningService
from tests.system.test_fast_file import fast_file_request
from tests.system.validation import BUCKET, reason, specification, validate


@pytest.fixture
def elsewhere(sandbox_service: RunningService, tmp_path: Path, archives: list[str]) -> Iterator[RunningService]:
    """A second service whose objects are in the first one's store, over HTTP."""
    access_key, secret_key = sandbox_service.keys()
    environment = {
        "SAGESTONE_RUNTIME": "sandbox",
        "SAGESTONE_S3_ENDPOINT": sandbox_service.endpoint,
        "SAGESTONE_S3_ACCESS_KEY": access_key,
        "SAGESTONE_S3_SECRET_KEY": secret_key,
    }
    service = RunningService(tmp_path / "home", environment)
    service.start()
    try:
        assert service.command("image", "load", *archives).returncode == 0
        yield service
    finally:
        service.stop()


def test_a_validation_with_objects_elsewhere(sandbox_service: RunningService, elsewhere: RunningService) -> None:
    description = validate(elsewhere, specification("elsewhere", "tests/train:1", "tests/serve:1"))
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    found = sandbox_service.client("s3").get_object(Bucket=BUCKET, Key="out/first.csv.out")["Body"].read()
    assert found == b"r1;ok\nr2;ok\nr3;ok\n"
    with pytest.raises(ClientError, match="s3_endpoint"):
        elsewhere.client("s3").list_buckets()
    assert not (elsewhere.home / "s3").exists()
    printed = elsewhere.command("env").stdout
    assert f"export AWS_ENDPOINT_URL_S3={sandbox_service.endpoint}" in printed


def test_an_endpoint_that_refuses_is_told(elsewhere: RunningService) -> None:
    elsewhere.stop()
    elsewhere.set("SAGESTONE_S3_SECRET_KEY", "wrong")
    elsewhere.start()
    description = validate(elsewhere, specification("locked-out", "tests/train:1"))
    assert description["AlgorithmStatus"] == "Failed"
    assert "S3" in reason(description)


def test_fast_file_channels_of_objects_elsewhere(sandbox_service: RunningService, elsewhere: RunningService) -> None:
    if (why := complaint()) is not None:
        pytest.skip(f"nothing can be mounted here: {why}")
    description = validate(elsewhere, fast_file_request("fast-elsewhere"))
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    assert mounts_below(elsewhere.home) == []
