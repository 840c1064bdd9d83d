"""A service to be attacked: a process of its own with the sandbox runtime, in which no job gets an instance."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fuzz.case import World
from tests.fuzz.footprint import Footprint, footprint, forget_largest
from tests.fuzz.request_cases import IMAGE
from tests.fuzz.s3_cases import BUCKETS
from tests.fuzz.sign import Keys
from tests.images import write_archive
from tests.system.service import RunningService

_SIGNS = (b"Traceback (most recent call last)", b"unexpected exception", b"Unhandled exception", b"was never retrieved")


class Target:
    """The service, how large it is, and what it had to complain of."""

    def __init__(self, service: RunningService, world: World) -> None:
        self.world = world
        self._service = service
        self._log = service.home.parent / "service.log"

    def footprint(self) -> Footprint:
        return footprint(self._service.pid, self._service.home)

    def forget_largest(self) -> None:
        forget_largest(self._service.pid)

    def log_complaints(self) -> list[str]:
        """What the log has of exceptions that nobody foresaw, with what stands around them."""
        log = self._log.read_bytes()
        places = [at for sign in _SIGNS if (at := log.find(sign)) >= 0]
        return [log[max(0, at - 300) : at + 3000].decode("utf-8", "replace") for at in sorted(places)[:1]]

    def serves(self) -> bool:
        """Whether usual requests of usual clients work: those that write, and those that read."""
        sagemaker: Any = self._service.client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName="afterwards")
        sagemaker.delete_model_package_group(ModelPackageGroupName="afterwards")
        s3: Any = self._service.client("s3")
        s3.put_object(Bucket=BUCKETS[0], Key="afterwards", Body=b"it")
        return bool(s3.get_object(Bucket=BUCKETS[0], Key="afterwards")["Body"].read() == b"it")


@contextmanager
def running_target() -> Iterator[Target]:
    """Stopped and gone at the end; fails where the service does not end in peace."""
    with tempfile.TemporaryDirectory(prefix="sagestone-fuzz-") as scratch:
        service = RunningService(
            Path(scratch) / "home", {"SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_LOG_LEVEL": "warning"}
        )
        service.start()
        try:
            yield Target(service, _furnish(service, Path(scratch)))
        finally:
            service.stop()


def _furnish(service: RunningService, scratch: Path) -> World:
    image = write_archive(scratch / "image.tar", IMAGE, {"/train": b"nothing runs it\n"}, shell=False)
    loaded = service.command("image", "load", str(image.path))
    assert loaded.returncode == 0, loaded.stderr
    drained = service.command("drain")
    assert drained.returncode == 0, drained.stderr
    s3: Any = service.client("s3")
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=BUCKETS[0], Key="k", Body=b"hello")
    kms: Any = service.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/fuzz", TargetKeyId=key["KeyId"])
    access_key, secret_key = service.keys()
    return World(
        port=service.port,
        keys=Keys(access_key=access_key, secret_key=secret_key),
        texts=(
            "alias/fuzz",
            key["KeyId"],
            key["Arn"],
            "s3://fuzz-a/",
            "s3://fuzz-a/out",
            "/aws/sagemaker/TrainingJobs",
        ),
    )
