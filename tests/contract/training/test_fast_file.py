"""FastFile channels in real containers: read-only files, there at once, and nothing left behind, however it ends."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.agent.parts import Parts, S3Part
from sagestone.channels.fuse.mount import complaint, mounts_below
from sagestone.domain.assignment import Host
from sagestone.domain.channel import Channel
from sagestone.domain.image import ImageReference
from sagestone.domain.instance import instance_facts
from sagestone.placement.capacity import Capacity
from sagestone.placement.local import LocalPlacement
from sagestone.placement.nursery import Nursery
from tests.contract.training.training_instance import HOME, Ground, Platform, TrainingInstance
from tests.images import script, write_archive
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, running_face

TRAIN = Channel(
    name="train",
    s3_data_type="S3Prefix",
    s3_uri="s3://bucket/in/",
    distribution="FullyReplicated",
    input_mode="FastFile",
)
MANIFEST = replace(TRAIN, name="named", s3_data_type="ManifestFile", s3_uri="s3://bucket/manifest")


@pytest.fixture(params=["embedded", "remote"])
def ground(request: pytest.FixtureRequest, platform: Platform, tmp_path: Path) -> Iterator[Ground]:
    """The store as the agents reach it: its own files, or an endpoint over HTTP."""
    if request.param == "remote" and (why := complaint()) is not None:
        pytest.skip(f"nothing can be mounted here: {why}")
    with running_face(tmp_path / "s3") as face:
        remote = S3Part(
            kind="remote",
            endpoint_url=face.endpoint,
            region=REGION,
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
        )
        yield Ground(platform=platform, directory=tmp_path, s3_part=remote if request.param == "remote" else None)


def mounted(instance: TrainingInstance) -> list[str]:
    """What is mounted below the instance's directory, on this machine and where the engine lives."""
    places = (None, instance.ground.platform.runtime.mount_namespace)
    return [place for where in places for place in mounts_below(instance.files.directory, where)]


def check_nothing_is_left(instance: TrainingInstance) -> None:
    assert instance.left_behind() == []
    assert mounted(instance) == []
    left = [path for path in instance.files.fast_file.rglob("*") if not path.is_dir()]
    assert left == []
    assert list(instance.files.fast_file.glob("files/*")) == []
    assert _servers(instance) == []


def _servers(instance: TrainingInstance) -> list[str]:
    """The processes that serve files of that instance: they are told where to, so we look at what they hold open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(instance.files.fast_file) in str(link.readlink()) for link in (process / "fd").iterdir()):
                found.append(process.name)
        except OSError:
            continue
    return found


def test_files_are_there_and_cannot_be_changed(ground: Ground) -> None:
    ground.put("in/a.csv", b"1,2\n")
    ground.put("in/more/b.csv", b"3,4\n" * 100_000)
    ground.put("in/empty", b"")
    ground.put("manifest", b'[{"prefix": "s3://bucket/in/"}, "more/b.csv"]')
    program = """
        cd /opt/ml/input/data
        find train named -type f | sort
        cat train/a.csv
        md5sum < train/more/b.csv; md5sum < named/in/more/b.csv
        dd if=train/more/b.csv bs=4 skip=99999 2>/dev/null
        for tried in 'echo x > train/a.csv' 'echo x > train/new' 'rm train/a.csv' 'chmod 666 train/a.csv' \
            'chown 1 train/a.csv' 'mv train/a.csv train/b' 'ln train/a.csv /opt/ml/model/a' 'touch train/a.csv' \
            'mkdir train/d' 'mount -o remount,rw /opt/ml/input/data/train' 'umount /opt/ml/input/data/train'; do
            (eval "$tried") 2>/dev/null && echo "could $tried"
        done
        cat /opt/ml/input/config/inputdataconfig.json; echo
        ls /opt/ml/input/data
    """
    instance = TrainingInstance(ground, program, channels=(TRAIN, MANIFEST))
    outcome = instance.run()
    assert (outcome.ending, outcome.failure) == ("Completed", None)
    log = instance.log()
    assert log[:4] == ["named/in/more/b.csv", "train/a.csv", "train/empty", "train/more/b.csv"]
    assert log[4] == "1,2"
    assert log[5] == log[6]
    assert log[7] == "3,4"
    assert '"TrainingInputMode": "File"' in log[8], log
    assert log[9:] == ["named", "train"]
    assert ground.get("in/a.csv") == b"1,2\n"
    check_nothing_is_left(instance)


def test_each_of_two_hosts_sees_its_shard(ground: Ground) -> None:
    for name in "abcde":
        ground.put(f"in/{name}", name.encode())
    channels = (replace(TRAIN, distribution="ShardedByS3Key"),)
    program = "cd /opt/ml/input/data/train; ls; cat *"
    hosts = [TrainingInstance(ground, program, channels=channels, host=Host(number=n, count=2)) for n in (1, 2)]
    for host in hosts:
        host.start()
    assert [host.outcome().ending for host in hosts] == ["Completed", "Completed"]
    assert [host.log() for host in hosts] == [["a", "c", "e", "ace"], ["b", "d", "bd"]]
    for host in hosts:
        check_nothing_is_left(host)


def test_a_plain_user_in_the_container_reads_too(ground: Ground, tmp_path: Path) -> None:
    ground.put("in/d/a", b"readable\n")
    train = {"/bin/train": script("id -u; cd /opt/ml/input/data/train; find . -type f; cat d/a")}
    write_archive(tmp_path / "user.tar", "tests/user:1", train, user="65534")
    (image,) = ground.platform.runtime.load_archive(tmp_path / "user.tar")
    reference = ImageReference(uri="tests/user:1", digest=image.digest)
    instance = TrainingInstance(ground, "", channels=(TRAIN,), image=reference)
    assert instance.run().ending == "Completed"
    assert instance.log() == ["65534", "./d/a", "readable"]


def test_a_partial_prefix_fails_before_the_program_runs(ground: Ground) -> None:
    ground.put("train-01/data", b"1")
    instance = TrainingInstance(ground, "echo ran", channels=(replace(TRAIN, s3_uri="s3://bucket/train"),))
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith(
        "ClientError: Data download failed:Failed to download data. For FastFile mode, partial S3 prefix is not "
        "supported. S3 prefix has to end with a full file or folder."
    )
    assert instance.log() == []
    check_nothing_is_left(instance)


def test_objects_may_go_while_the_program_reads_them(ground: Ground) -> None:
    """Names of blobs keep what was listed; a remote store cannot, so the job fails and says which object it was."""
    for name in ("a", "b", "c"):
        ground.put(f"in/{name}", b"as listed: " + name.encode())
    program = """
        cd /opt/ml/input/data/train; cat a; echo; echo ready
        until [ -e /opt/ml/input/go ]; do sleep 0.02; done
        cat a b c 2>&1; echo; sleep 20
    """
    instance = TrainingInstance(ground, program, channels=(TRAIN,), grace=0.5).start()
    instance.await_line("ready")
    ground.put("in/b", b"overwritten")
    ground.remove("in/c")
    (instance.files.opt_ml / "input" / "go").touch()
    if ground.s3_part is None:
        instance.await_line("as listed: aas listed: bas listed: c")
        instance.stop()
        assert instance.outcome().ending == "Stopped"
    else:
        failure = instance.outcome().failure
        assert failure is not None
        assert failure.reason == (
            "ClientError: Data download failed:Channel train: s3://bucket/in/b: the object was overwritten while it "
            "was being read; read it again"
        )
        assert any("Input/output error" in line for line in instance.log()), instance.log()
    check_nothing_is_left(instance)


@pytest.mark.parametrize("ending", ["failure", "stop"])
def test_nothing_is_left_after_a_failure_or_a_stop(ground: Ground, ending: str) -> None:
    ground.put("in/a", b"1")
    program = "echo ready; exec 3</opt/ml/input/data/train/a; " + ("exit 1" if ending == "failure" else "sleep 300")
    instance = TrainingInstance(ground, program, channels=(TRAIN,), grace=0.5).start()
    instance.await_line("ready")
    if ending == "stop":
        instance.stop()
    assert instance.outcome().ending == ("Failed" if ending == "failure" else "Stopped")
    check_nothing_is_left(instance)


def test_an_agent_that_dies_is_followed_by_another_one(ground: Ground) -> None:
    ground.put("in/a", b"still there")
    program = "echo ready; until [ -e /opt/ml/input/go ]; do sleep 0.02; done; cat /opt/ml/input/data/train/a"
    instance = TrainingInstance(ground, program, channels=(TRAIN,)).start()
    instance.await_line("ready")
    instance.kill()
    instance.start()
    (instance.files.opt_ml / "input" / "go").touch()
    assert instance.outcome().ending == "Completed"
    assert instance.log() == ["ready", "still there"]
    check_nothing_is_left(instance)


def test_what_a_crash_of_agent_and_service_leaves_goes_with_the_job(ground: Ground) -> None:
    ground.put("in/a", b"1")
    instance = TrainingInstance(ground, "exec 3</opt/ml/input/data/train/a; echo ready; sleep 300", channels=(TRAIN,))
    instance.start()
    instance.await_line("ready")
    instance.kill()
    assert bool(mounted(instance)) == (ground.s3_part is not None)
    placement = LocalPlacement(
        jobs_directory=ground.directory / "jobs",
        runtime=ground.platform.runtime,
        parts=Parts(
            runtime=ground.platform.part,
            s3=S3Part(kind="embedded", directory=str(ground.directory / "s3")),
            logs_directory=str(ground.directory / "logs"),
        ),
        capacity=Capacity(cpus=1.0, memory_bytes=1024**3),
        catalogue=instance_facts,
        home=HOME,
        nursery=Nursery(os.environ),
    )
    assert placement.find() == ["training/job"]
    placement.release("training/job")
    assert placement.find() == []
    check_nothing_is_left(instance)
