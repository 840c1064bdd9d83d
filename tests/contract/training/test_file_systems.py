"""Channels of file systems on real containers: mounted, not copied; ro is enforced, rw is really shared."""

from pathlib import Path

from sagestone.domain.assignment import Limits
from sagestone.domain.file_system import FileSystem, FileSystemChannel
from tests.contract.training.training_instance import Ground, TrainingInstance

MIB = 1024 * 1024
EFS = "fs-0123456789abcdef0"
FSX = "fs-12345678"

PROGRAM = """
    cat /opt/ml/input/data/train/deep/a.csv
    echo x > /opt/ml/input/data/train/new && echo written || echo refused
    rm /opt/ml/input/data/train/deep/a.csv && echo removed || echo refused
    echo from the job > /opt/ml/input/data/shared/result
    until [ -e /opt/ml/input/data/shared/answer ]; do sleep 0.05; done; cat /opt/ml/input/data/shared/answer
    ls /opt/ml/input/data; wc -c < /opt/ml/input/data/train/large
"""


def test_a_file_system_is_mounted_as_the_channel_asks(ground: Ground, tmp_path: Path) -> None:
    data, shared = tmp_path / "efs" / "data", tmp_path / "fsx" / "ns1"
    (data / "deep").mkdir(parents=True)
    shared.mkdir(parents=True)
    (data / "deep" / "a.csv").write_text("1,2\n")
    (data / "large").write_bytes(b"x" * 8 * MIB)  # more than the volume: it does not count
    machine = (
        FileSystem(id=EFS, kind="EFS", directory=str(tmp_path / "efs")),
        FileSystem(id=FSX, kind="FSxLustre", directory=str(tmp_path / "fsx"), mount_name="abcd"),
    )
    channels = (
        FileSystemChannel(name="train", file_system_id=EFS, kind="EFS", access_mode="ro", directory_path="/data"),
        FileSystemChannel(
            name="shared", file_system_id=FSX, kind="FSxLustre", access_mode="rw", directory_path="/abcd/ns1/"
        ),
    )
    instance = TrainingInstance(
        ground, PROGRAM, machine=machine, file_systems=channels, limits=Limits(volume_bytes=2 * MIB)
    ).start()
    instance.await_true((shared / "result").exists, "what the job writes, on the file system")
    (shared / "answer").write_text("from outside\n")
    assert instance.outcome().ending == "Completed"
    lines = [line for line in instance.log() if "Read-only" not in line]
    assert lines == ["1,2", "refused", "refused", "from outside", "shared", "train", str(8 * MIB)]
    assert sum("Read-only file system" in line for line in instance.log()) == 2
    assert (shared / "result").read_text() == "from the job\n"
    assert (data / "deep" / "a.csv").read_text() == "1,2\n"
    assert not instance.left_behind()  # and what was mounted is still there
    assert sorted(path.name for path in data.iterdir()) == ["deep", "large"]


def test_a_directory_that_is_gone_fails_before_anything_is_downloaded(ground: Ground, tmp_path: Path) -> None:
    machine = (FileSystem(id=EFS, kind="EFS", directory=str(tmp_path)),)
    channel = FileSystemChannel(name="train", file_system_id=EFS, kind="EFS", access_mode="ro", directory_path="/gone")
    outcome = TrainingInstance(ground, "true", machine=machine, file_systems=(channel,)).run()
    assert outcome.failure is not None
    assert outcome.failure.reason == (
        f"ClientError: Data download failed:Channel train: file system {EFS}: '/gone' is not there: "
        f"{tmp_path}/gone is missing"
    )
