"""VolumeKmsKeyId, by an unmodified boto3: what jobs write lies on encrypted volumes, of which nothing is left."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagestone.channels.fuse.mount import mounts_below
from sagestone.volumes.probe import complaint
from sagestone.volumes.volume import Volume
from tests.raw_files import holders, holds
from tests.system.conftest import RUNTIMES
from tests.system.prepared import prepared_service
from tests.system.service import RunningService, eventually
from tests.system.serving import archive, create_model, outputs, transform, wait
from tests.system.test_kms_jobs import assert_no_root_key, encrypt_by_default, new_key
from tests.system.test_warm_pools import pool, warm_request
from tests.system.training import ended, log_of, reaches, train, training_request
from tests.system.validation import BUCKET, job_of, log_lines, reason, specification, upload, validate

#: In the data, which lie encrypted in the store, and in what the programs write, put together by themselves.
CANARY = b"no-disk-may-show-this"
_SAY = "C=disk-may-show-this; C=no-$C"
SEALED = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/sealed/"}
CHANNEL = {"ChannelName": "train", "DataSource": {"S3DataSource": SEALED}}
_WRITE = (
    f"{_SAY}; cd /opt/ml; cat input/data/train/a.csv > model/data; echo $C > model/$C; mkdir -p output/data;",
    "echo $C > output/data/notes; echo $C > /tmp/scratch; [ ! -d checkpoints ] || echo $C > checkpoints/state; sync;",
    "echo written; while [ ! -e /tmp/go ]; do sleep 0.05; done; cat /tmp/scratch",
)


@pytest.fixture(scope="module", params=RUNTIMES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, archives: list[str]
) -> Iterator[RunningService]:
    """A service whose bucket encrypts, with a key for volumes."""
    if (why := complaint()) is not None:
        pytest.skip(f"no volume can be encrypted here: {why}")
    environment = {"SAGESTONE_RUNTIME": "sandbox"}
    if request.param != "sandbox":
        url = request.getfixturevalue(f"{request.param}_engine")
        environment = {"SAGESTONE_RUNTIME": "engine", "SAGESTONE_ENGINE_URL": url}
    with prepared_service(tmp_path_factory.mktemp(f"volumes-{request.param}"), environment, archives) as made:
        encrypt_by_default(made, new_key(made, "alias/data"))
        upload(made, {"sealed/a.csv": CANARY * 100})
        new_key(made, "alias/volumes")
        yield made


@pytest.fixture(autouse=True)
def nothing_left(service: RunningService) -> Iterator[None]:
    """After each test: no mount, no loop device, no file."""
    yield
    eventually(lambda: not any(files for _, _, files in os.walk(service.home / "jobs")), "the jobs are put away")
    eventually(lambda: _is_closed(service.home), "no volume is open")


def _is_closed(home: Path) -> bool:
    """Whether no volume of the home is mounted, nor has a device."""
    return mounts_below(home) == [] and _loops(home) == []


def _loops(home: Path) -> list[str]:
    """The files below the home that loop devices belong to."""
    found = []
    for place in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found.append(place.read_text().strip())
        except OSError:  # it was freed meanwhile
            continue
    return [name for name in found if name.startswith(str(home))]


def _request(name: str, script: str | tuple[str, ...], key: str = "alias/volumes", **resources: Any) -> dict[str, Any]:
    """A job that runs a shell's script, on volumes with that key."""
    request = training_request(name, InputDataConfig=[CHANNEL])
    request["AlgorithmSpecification"]["ContainerEntrypoint"] = [
        "/bin/sh", "-c", 'eval "$*"', "program", *((script,) if isinstance(script, str) else script),
    ]  # fmt: skip
    request["ResourceConfig"] |= {"VolumeKmsKeyId": key, **resources}
    return request


def _volume(service: RunningService, job: str, host: int = 1) -> Path:
    return service.home / "jobs" / job / "caches" / f"algo-{host}.volume"


def _is_written(service: RunningService, name: str) -> bool:
    return "written" in log_of(service, name)


def test_what_a_job_reads_and_writes_is_nowhere_readable(service: RunningService) -> None:
    request = _request("hidden", _WRITE)
    request["CheckpointConfig"] = {"S3Uri": f"s3://{BUCKET}/kept"}
    service.client("sagemaker").create_training_job(**request)
    reaches(service, "hidden", "Training")
    eventually(lambda: _is_written(service, "hidden"), "the program has written")
    volume = Volume(_volume(service, "training/hidden"))
    for place in ("opt_ml/input/data/train/a.csv", "opt_ml/model/data", "tmp/scratch", "opt_ml/checkpoints/state"):
        assert CANARY in (volume.data / place).read_bytes()
    volume.check_written()
    assert not holds(_volume(service, "training/hidden") / "volume.img", CANARY)
    assert holders(service.home, CANARY) == []
    assert_no_root_key(service)
    (volume.data / "tmp" / "go").touch()
    shown = ended(service, "hidden")
    assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
    assert shown["ResourceConfig"]["VolumeKmsKeyId"] == "alias/volumes"
    assert log_of(service, "hidden")[-1] == CANARY.decode()
    kept = service.client("s3").get_object(Bucket=BUCKET, Key="kept/state")["Body"].read()
    assert kept == CANARY + b"\n"


def test_the_search_finds_what_a_job_without_a_key_writes(service: RunningService) -> None:
    request = _request("shown", f"{_SAY}; echo $C > /opt/ml/model/data; sync; echo written; exec sleep 600", "")
    service.client("sagemaker").create_training_job(**request)
    eventually(lambda: _started(service, "shown") and _is_written(service, "shown"), "the program has written")
    assert "jobs/training/shown/algo-1/opt_ml/model/data" in holders(service.home, CANARY)
    service.client("sagemaker").stop_training_job(TrainingJobName="shown")
    assert "VolumeKmsKeyId" not in ended(service, "shown")["ResourceConfig"]


def _started(service: RunningService, name: str) -> bool:
    shown = service.client("sagemaker").describe_training_job(TrainingJobName=name)
    return bool(shown["SecondaryStatus"] == "Training")


def test_every_host_has_a_volume_and_the_first_uploads_them_all(service: RunningService) -> None:
    request = _request("both", "echo $HOSTNAME > /opt/ml/model/$(hostname)", InstanceCount=2)
    request["OutputDataConfig"]["CompressionType"] = "NONE"
    shown = train(service, request)
    assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
    assert set(outputs(service, "models/both/output/model")) == {"algo-1", "algo-2"}


def test_a_validation_trains_and_transforms_on_volumes(service: RunningService) -> None:
    request = specification(
        "sealed", "tests/train:1", "tests/serve:1",
        training={"ResourceConfig": {
            "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, "VolumeKmsKeyId": "alias/volumes",
        }},
        transform={"TransformResources": {
            "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeKmsKeyId": "alias/volumes",
        }},
    )  # fmt: skip
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    job = job_of(service, "transform", "sealed")
    assert job["TransformResources"]["VolumeKmsKeyId"] == "alias/volumes"


def test_a_volume_holds_no_more_than_was_asked_for(service: RunningService) -> None:
    # room is taken, not written: that would cost a minute
    script = "cd /opt/ml/model; fallocate -l 900M a || exit 1; fallocate -l 900M b && exit 2; exec sleep 600"
    shown = train(service, _request("full", script))
    assert shown["TrainingJobStatus"] == "Failed"
    assert shown["FailureReason"].startswith("ClientError: Insufficient disk space: ")
    assert "the volume holds 1.0 GiB" in shown["FailureReason"]


def test_a_warm_pool_keeps_its_volume_closed(service: RunningService) -> None:
    def request(name: str, seconds: int) -> dict[str, Any]:
        made = warm_request(name, seconds)
        made["ResourceConfig"]["VolumeKmsKeyId"] = "alias/volumes"
        return made

    first = train(service, request("closed-1", 300))
    assert first["TrainingJobStatus"] == "Completed", first.get("FailureReason")
    eventually(lambda: pool(service, "closed-1")["Status"] == "Available", "the pool is available")
    kept = _volume(service, "training/closed-1") / "volume.img"
    eventually(lambda: kept.exists() and _is_closed(service.home), "its volume is closed")
    second = train(service, request("closed-2", 1))
    assert second["TrainingJobStatus"] == "Completed", second.get("FailureReason")
    assert "cached: closed-1" in log_of(service, "closed-2")
    eventually(lambda: pool(service, "closed-2")["Status"] == "Terminated", "the period is over")


def _agents(service: RunningService) -> list[int]:
    """Process ids of the agents, those being written left out."""
    written = [path.read_text() for path in (service.home / "jobs").glob("*/*/algo-*/agent.pid")]
    return [int(text) for text in written if text]


def test_a_crash_leaves_the_volume_to_the_job_and_nothing_afterwards(service: RunningService) -> None:
    kms = service.client("kms")
    key = new_key(service, "alias/passing")
    service.client("sagemaker").create_training_job(**_request("survivor", _WRITE, "alias/passing"))
    eventually(lambda: _started(service, "survivor") and _is_written(service, "survivor"), "the program has written")
    service.kill()
    (agent,) = _agents(service)
    os.kill(agent, signal.SIGKILL)
    volume = Volume(_volume(service, "training/survivor"))
    assert (volume.data / "tmp" / "scratch").exists()
    service.start()
    kms.disable_key(KeyId=key)  # the kernel has the data key: what runs goes on
    eventually(lambda: _agents(service) not in ([agent], []), "another agent has taken over")
    (volume.data / "tmp" / "go").touch()
    shown = ended(service, "survivor")
    assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
    assert log_of(service, "survivor").count("written") == 1


def test_a_transform_goes_on_where_its_volume_is_mounted_for_its_container_alone(service: RunningService) -> None:
    sagemaker = service.client("sagemaker")
    create_model(service, "again", archive(service, "again.tar.gz"))
    request = transform("again", "again", Environment={"MODE": "slow"})
    request["TransformResources"]["VolumeKmsKeyId"] = "alias/volumes"
    sagemaker.create_transform_job(**request)
    place = _volume(service, "transform/again")
    eventually(lambda: (Volume(place).data / "opt_ml" / "model" / "model.csv").exists(), "the model is there")
    serves = "model: model.csv batch:"  # the container runs, so it has what was mounted for it
    eventually(lambda: serves in " ".join(log_lines(service, "transform", "again")), "the container serves")
    service.kill()
    (agent,) = _agents(service)
    os.kill(agent, signal.SIGKILL)
    subprocess.run(["umount", "--lazy", str(place / "mounted")], check=True)  # as in a service's new mount namespace
    service.start()
    job = wait(service, "again")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert outputs(service, "again")["second.csv.out"] == b"s1\n"


def test_a_key_that_is_switched_off_before_the_job_begins_fails_it(service: RunningService) -> None:
    key = new_key(service, "alias/off-early")
    assert service.command("drain").returncode == 0
    service.client("sagemaker").create_training_job(**_request("early", "true", "alias/off-early"))
    service.client("kms").disable_key(KeyId=key)
    assert service.command("drain", "--end").returncode == 0
    shown = ended(service, "early")
    assert shown["TrainingJobStatus"] == "Failed"
    assert shown["FailureReason"] == (
        "ClientError: The volume of algo-1 cannot be encrypted with VolumeKmsKeyId alias/off-early: the KMS key cannot "
        f"be used (KMS.DisabledException: {key} is disabled.)"
    )


def test_doctor_says_that_volumes_are_encrypted(service: RunningService) -> None:
    told = service.command("doctor").stdout
    assert "volumes of jobs with a VolumeKmsKeyId are encrypted" in " ".join(told.split())
