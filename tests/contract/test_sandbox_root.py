"""The sandbox's file systems: what a container sees, and that no image leads it to the machine."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from sagestone.agent.parts import RuntimePart
from sagestone.containers.images.store import ImageStore
from sagestone.containers.runtime import Exit, Mount, StartFailed
from sagestone.containers.sandbox.record import Record, read_spec
from sagestone.containers.sandbox.shim import STARTED
from sagestone.containers.sandbox.start import _start_with_copy, make_orders
from tests.contract.runtimes import IMAGE, Bench
from tests.images import busybox

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def part(sandbox_part: RuntimePart) -> RuntimePart:
    """The sandbox only."""
    return sandbox_part


@pytest.fixture
def place(part: RuntimePart) -> Path:
    """The sandbox's directory."""
    return Path(part.directory or "")


def test_what_it_writes_outside_mounts_is_gone_and_the_image_unchanged(bench: Bench, place: Path) -> None:
    ended, out, _ = bench.run("echo broken > /etc/passwd; rm -rf /bin/ls; mkdir /opt/new; exit 3")
    assert ended == Exit(code=3)
    ended, out, _ = bench.run("ls -d /opt/new; head -1 /etc/passwd; ls -d /bin/ls")
    assert out == "root:x:0:0:root:/root:/bin/sh\n/bin/ls\n"


def test_mount_targets_are_resolved_inside(bench: Bench, place: Path, tmp_path: Path) -> None:
    precious, given = tmp_path / "precious", tmp_path / "given"
    precious.mkdir()
    given.mkdir()
    (given / "file").write_text("given")
    image = bench.load("links", {"/keep": b""}, links={"/opt/ml": str(precious), "/data": "../../../../../etc"})
    mounts = [Mount(source=given, target="/opt/ml/input", read_only=True), Mount(source=given, target="/data/given")]
    container = bench.create(["cat", "/opt/ml/input/file", "/etc/given/file"], image=image.id, mounts=mounts)
    bench.runtime.start(container)
    assert bench.ended(container) == Exit(code=0)
    assert bench.output(container).stdout == b"givengiven"
    assert list(precious.iterdir()) == []
    assert not Path("/etc/given").exists()


@pytest.mark.parametrize("name", ["proc", "sys", "dev", "etc"])
def test_no_link_of_an_image_leads_to_the_machine(bench: Bench, place: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    climbs = "../" * 20 + str(outside).lstrip("/")
    files = {"/bin/busybox": busybox().read_bytes()}
    image = bench.load("climbs", files, shell=False, links={f"/{name}": climbs}, entrypoint=["/bin/busybox"])
    container = bench.create(["true"], image=image.id)
    with suppress(StartFailed):
        bench.runtime.start(container)
    assert list(outside.iterdir()) == []


def test_no_descriptor_leads_to_the_machine(bench: Bench, place: Path, tmp_path: Path) -> None:
    outside, given = tmp_path / "outside", tmp_path / "given"
    outside.mkdir()
    given.touch()
    links = {f"/opt{number}": f"/proc/self/fd/{number}" for number in range(3, 20)}
    image = bench.load("descriptors", {}, links=links)
    for link in links:
        target = f"{link}{outside}/new"
        container = bench.create(["cat", target], image=image.id, mounts=[Mount(source=given, target=target)])
        with suppress(StartFailed):
            bench.runtime.start(container)
        assert list(outside.iterdir()) == []


@pytest.mark.parametrize("way", ["/proc/self/exe", "/bin/linked", "/bin/script", "script", "/bin/twice"])
def test_no_program_is_the_one_that_makes_containers(bench: Bench, place: Path, way: str) -> None:
    files = {"/bin/script": b"#!/proc/self/exe\n", "/bin/twice": b"#! /bin/script again\n"}
    image = bench.load("ours", files, links={"/bin/linked": "/proc/self/exe"}, entrypoint=[way])
    with pytest.raises(StartFailed, match="leads to the program that makes containers, which is not the image's"):
        bench.runtime.start(bench.create(["train"], image=image.id))


def test_nothing_of_the_machine_is_in_sight(bench: Bench, place: Path) -> None:
    script = """
        env | cut -d= -f1 | sort | tr '\\n' ' '; echo
        ls -A / | tr '\\n' ' '; echo
        cat /proc/mounts
        ps | wc -l
        ls -A /proc/1/cwd/ /proc/1/root/ | grep -q spec.json && echo record
        echo x > /proc/sys/kernel/hostname && echo wrote
        echo x > /proc/sysrq-trigger && echo wrote
        kill -9 -1; echo alone
    """
    _, out, _ = bench.run(script, environment={"OWN": "1"})
    names, entries, *rest = out.splitlines()
    assert set(names.split()) <= {"HOME", "HOSTNAME", "OWN", "PATH", "PWD", "SHLVL", "SAGESTONE_TEST"}
    assert entries.split() == ["bin", "dev", "etc", "proc", "root", "sys", "tmp"]
    assert rest[-1] == "alone"
    assert int(rest[-2]) < 10
    assert not {"record", "wrote"} & set(rest)
    assert str(place) not in out


def test_a_directory_that_bears_no_overlay_does_with_memory(runtime_archives: list[Path], tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a plain user does not limit what can be mounted: only root makes this overlay")
    command = [sys.executable, "-m", "tests.contract.sandbox_on_overlay", str(tmp_path), str(runtime_archives[0])]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == "Exit(code=0, out_of_memory=False, taken_along=False)\nstdout b'new\\n'\n[]\n", ran.stderr


def test_where_no_overlay_can_be_made_the_image_is_copied(bench: Bench, place: Path) -> None:
    container = bench.create(["sh", "-c", "echo new > /etc/passwd; cat /etc/passwd; id -u; ls -d /bin/ls"])
    record = Record(directory=place / "containers" / container)
    stored = ImageStore(place / "images").resolve(IMAGE)
    with record.locked() as lock:
        orders = make_orders(record.directory, read_spec(record.document()), stored, None, None, lock)
        assert _start_with_copy(record.directory, stored, orders) == STARTED
    assert bench.ended(container) == Exit(code=0)
    assert bench.output(container).stdout == b"new\n0\n/bin/ls\n"
    assert (stored.rootfs / "etc/passwd").read_text().startswith("root:")
