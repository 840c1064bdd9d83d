"""File systems: what the settings say of them, what a request may ask, and where a DirectoryPath lies."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.agent.file_systems import file_system_mounts
from sagestone.agent.opt_ml import config_files
from sagestone.channels.file_system import mounted_directory
from sagestone.compose.examine import examine_machine
from sagestone.containers.runtime import Mount
from sagestone.domain.assignment import Host, TrainingAssignment
from sagestone.domain.failure import JobFailure
from sagestone.domain.file_system import BadDirectoryPath, FileSystem, FileSystemChannel, relative_directory
from sagestone.operations.file_systems import algorithm_file_system_violations, configured_file_systems
from sagestone.operations.own.explain import explain
from sagestone.settings import BadSetting, FileSystemSetting, read_settings
from tests.documents import training_spec
from tests.unit.requests import JOB, changed, texts

EFS = "fs-0123456789abcdef0"
FSX = "fs-12345678"
CHANNEL = f"{JOB}.InputDataConfig.0"
PLACE = "validationSpecification.validationProfiles.1.member.trainingJobDefinition.inputDataConfig.1.member"
FAILED = "failed to satisfy constraint"


def source(name: str = EFS, kind: str = "EFS", access: str = "ro", path: str = "/data") -> dict[str, Any]:
    described = {"FileSystemId": name, "FileSystemType": kind, "FileSystemAccessMode": access, "DirectoryPath": path}
    return {"FileSystemDataSource": described}


class TestSettings:
    def test_a_table_and_a_variable_say_the_same(self, tmp_path: Path) -> None:
        expected = (
            FileSystemSetting(id=EFS, type="EFS", directory="/mnt/efs"),
            FileSystemSetting(id=FSX, type="FSxLustre", directory="/mnt/fsx", mount_name="abcd"),
        )
        text = f"{EFS}=EFS:/mnt/efs, {FSX}=FSxLustre/abcd:/mnt/fsx"
        assert read_settings({"SAGESTONE_FILE_SYSTEMS": text}, home=tmp_path).file_systems == expected
        (tmp_path / "sagestone.toml").write_text(
            f'[file_systems.{EFS}]\ntype = "EFS"\ndirectory = "/mnt/efs"\n'
            f'[file_systems.{FSX}]\ntype = "FSxLustre"\ndirectory = "/mnt/fsx"\nmount_name = "abcd"\n'
        )
        assert read_settings({}, home=tmp_path).file_systems == expected

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("efs=EFS:/mnt", "no id of a file system"),
            (f"{EFS}=NFS:/mnt", "expected EFS or FSxLustre"),
            (f"{EFS}=EFS:mnt", "expected an absolute path"),
            (f"{EFS}=EFS/abcd:/mnt", "for FSxLustre only"),
        ],
    )
    def test_what_makes_no_sense_is_told(self, tmp_path: Path, text: str, words: str) -> None:
        with pytest.raises(BadSetting, match=words):
            read_settings({"SAGESTONE_FILE_SYSTEMS": text}, home=tmp_path)

    def test_an_unknown_word_in_the_table_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "sagestone.toml").write_text(f'[file_systems.{EFS}]\ntype = "EFS"\nplace = "/mnt"\n')
        with pytest.raises(BadSetting, match="has place: expected type, directory and mount_name only"):
            read_settings({}, home=tmp_path)

    def test_doctor_shows_them(self, tmp_path: Path) -> None:
        text = f"{EFS}=EFS:{tmp_path},{FSX}=FSxLustre:{tmp_path}/missing"
        findings = examine_machine(read_settings({"SAGESTONE_FILE_SYSTEMS": text}, home=tmp_path))
        shown = {finding.subject: (finding.level, finding.text) for finding in findings}
        assert shown[EFS] == ("good", f"EFS at {tmp_path}, an ordinary directory: nothing is mounted there")
        assert shown[FSX][0] == "bad"
        assert "is not there; mount it" in shown[FSX][1]


class TestDirectories:
    @given(path=st.text(alphabet="/.ab\0", max_size=12), mount_name=st.sampled_from(["", "a"]))
    def test_no_path_leads_out(self, path: str, mount_name: str) -> None:
        file_system = FileSystem(id=FSX, kind="FSxLustre", directory="/mnt", mount_name=mount_name)
        try:
            relative = relative_directory(file_system, path)
        except BadDirectoryPath:
            return
        assert path.startswith("/")
        assert not {".", "..", ""} & set(relative.split("/") if relative else ())
        assert not mount_name or path.lstrip("/").split("/")[0] == mount_name

    def test_links_may_lead_inside_but_not_out(self, tmp_path: Path) -> None:
        (tmp_path / "fs" / "real" / "deep").mkdir(parents=True)
        (tmp_path / "outside").mkdir()
        (tmp_path / "fs" / "in").symlink_to("real")
        (tmp_path / "fs" / "absolute").symlink_to(tmp_path / "fs" / "real")
        (tmp_path / "fs" / "out").symlink_to("../outside")
        (tmp_path / "fs" / "loop").symlink_to("loop")
        (tmp_path / "fs" / "file").touch()
        (tmp_path / "fs-elsewhere").mkdir()
        (tmp_path / "mount").symlink_to("fs")
        file_system = FileSystem(id=EFS, kind="EFS", directory=str(tmp_path / "mount"))
        real = tmp_path / "fs" / "real"
        assert mounted_directory(file_system, "/in/deep/") == real / "deep"
        assert mounted_directory(file_system, "/absolute") == real
        assert mounted_directory(file_system, "/") == tmp_path / "fs"
        for path, words in [
            ("/out", "leads out of"),
            ("/loop", "is missing"),
            ("/nowhere", "is missing"),
            ("/file", "is not a directory"),
            ("/../fs-elsewhere", "is not an absolute path without"),
            ("in", "is not an absolute path without"),
        ]:
            with pytest.raises(BadDirectoryPath, match=words):
                mounted_directory(file_system, path)
        with pytest.raises(BadDirectoryPath, match="mount it, or configure another"):
            mounted_directory(FileSystem(id=EFS, kind="EFS", directory=str(tmp_path / "gone")), "/")

    def test_a_lustre_path_begins_with_its_mount_name(self, tmp_path: Path) -> None:
        (tmp_path / "ns1").mkdir()
        file_system = FileSystem(id=FSX, kind="FSxLustre", directory=str(tmp_path), mount_name="abcd")
        assert mounted_directory(file_system, "/abcd/ns1/") == tmp_path / "ns1"
        with pytest.raises(BadDirectoryPath, match="does not begin with the mount name of fs-12345678: /abcd"):
            mounted_directory(file_system, "/ns1")


class TestRules:
    def test_a_channel_of_a_file_system_is_accepted(self) -> None:
        assert texts((f"{CHANNEL}.DataSource", source())) == []

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (
                (f"{CHANNEL}.InputMode", "Pipe"),
                f"Value 'Pipe' at '{PLACE}.inputMode' {FAILED}: Member must be File: a file system is mounted, not "
                "streamed",
            ),
            (
                (f"{CHANNEL}.ShuffleConfig", {"Seed": 1}),
                f"Value at '{PLACE}.shuffleConfig' {FAILED}: Member must be absent: a file system has no objects to "
                "shuffle",
            ),
            (
                (f"{CHANNEL}.DataSource.S3DataSource", {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}),
                f"Value at '{PLACE}.dataSource.fileSystemDataSource' {FAILED}: Member must be absent: a channel has "
                "one data source, and this one has an S3DataSource",
            ),
        ],
    )
    def test_refused_with_its_own_message(self, change: tuple[str, Any], expected: str) -> None:
        assert expected in texts((f"{CHANNEL}.DataSource", source()), change)

    def test_what_is_not_configured_says_what_to_configure(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        known = {EFS: FileSystem(id=EFS, kind="EFS", directory=str(tmp_path))}

        def found(**asked: str) -> list[str]:
            request = changed((f"{CHANNEL}.DataSource", source(**asked)))
            return [each.text for each in algorithm_file_system_violations(request, known)]

        where = f"{PLACE}.dataSource.fileSystemDataSource"
        assert found() == found(access="rw") == []
        assert found(name=FSX) == [
            f"Value '{FSX}' at '{where}.fileSystemId' {FAILED}: Member must be a file system of this service. It has: "
            f'{EFS}. Say in sagestone.toml where it is mounted: [file_systems.{FSX}] with type = "EFS" and directory = '
            f'"/its/mount/point", or in SAGESTONE_FILE_SYSTEMS: {FSX}=EFS:/its/mount/point'
        ]
        assert found(kind="FSxLustre") == [
            f"Value 'FSxLustre' at '{where}.fileSystemType' {FAILED}: Member must be EFS, as {EFS} is configured"
        ]
        assert found(path="/other") == [
            f"Value '/other' at '{where}.directoryPath' {FAILED}: Member must be a directory of {EFS}: '/other' is not "
            f"there: {tmp_path}/other is missing"
        ]

    def test_explain_tells_it_too_and_shows_the_channel(self, tmp_path: Path) -> None:
        request = changed((f"{CHANNEL}.DataSource", source(path="/")))
        (told,) = explain(read_settings({}, home=tmp_path), request)["violations"]
        assert "Member must be a file system of this service. Say in sagestone.toml" in told
        settings = read_settings({"SAGESTONE_FILE_SYSTEMS": f"{EFS}=EFS:{tmp_path}"}, home=tmp_path)
        assert list(configured_file_systems(settings)) == [EFS]
        assignment = explain(settings, request)["documents"]["training assignment of algo-1"]
        assert assignment["job"]["file_systems"][0]["file_system_id"] == EFS
        assert assignment["job"]["channels"] == ()


class TestInstance:
    CHANNEL = FileSystemChannel(
        name="train", file_system_id=EFS, kind="EFS", access_mode="ro", directory_path="/data", content_type="text/csv"
    )

    def test_the_container_is_told_as_the_service_tells_it(self) -> None:
        job = training_spec()
        object.__setattr__(job, "file_systems", (self.CHANNEL,))
        host = Host(number=1, count=1)
        files = config_files(TrainingAssignment(job=job, host=host, region="r", created_at=0.0))
        assert files["inputdataconfig.json"] == {
            "train": {
                "ContentType": "text/csv",
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
            }
        }

    def test_mounts_are_looked_up_when_the_container_is_made(self, tmp_path: Path) -> None:
        machine = [FileSystem(id=EFS, kind="EFS", directory=str(tmp_path))]
        with pytest.raises(JobFailure, match="Channel train: file system fs-0123456789abcdef0: '/data' is not there"):
            file_system_mounts([self.CHANNEL], machine)
        (tmp_path / "data").mkdir()
        assert file_system_mounts([self.CHANNEL], machine) == (
            Mount(source=tmp_path / "data", target="/opt/ml/input/data/train", read_only=True),
        )
        with pytest.raises(JobFailure, match="the service has no EFS of that id configured any more"):
            file_system_mounts([self.CHANNEL], [])


_ASK = """
import sys
from sagestone.domain.file_system import FileSystem
from sagestone.operations.file_systems import algorithm_file_system_violations
from tests.unit.requests import changed
from tests.unit.test_file_systems import CHANNEL, EFS, source
known = {EFS: FileSystem(id=EFS, kind="EFS", directory=sys.argv[1])}
for access in ("ro", "rw"):
    request = changed((f"{CHANNEL}.DataSource", source(access=access, path="/")))
    print(*(found.constraint for found in algorithm_file_system_violations(request, known)))
"""


def test_a_read_only_mount_is_no_rw(tmp_path: Path) -> None:
    """Root may write anywhere but to a file system that is mounted read-only."""
    mounted = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-ec", mounted, "sh", str(tmp_path), sys.executable, _ASK]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == [
        "",
        f"Member must be ro: {tmp_path} cannot be written by the user who runs this service",
    ]
