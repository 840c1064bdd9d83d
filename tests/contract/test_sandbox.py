"""What the sandbox promises beyond the runtimes' contract: that nothing stays, whoever is killed and whenever."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest

from sagestone.agent.build import build_runtime
from sagestone.agent.parts import RuntimePart
from sagestone.containers.runtime import Exit, Mount, RuntimeFailure, StartFailed
from sagestone.containers.sandbox_cgroup import find_hierarchies
from sagestone.containers.sandbox_probe import probe
from sagestone.containers.sandbox_record import Record
from sagestone.containers.sandbox_start import store_name
from tests.contract.runtimes import Bench
from tests.images import busybox

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def part(sandbox_part: RuntimePart) -> RuntimePart:
    """The sandbox only."""
    return sandbox_part


@pytest.fixture
def place(part: RuntimePart, bench: Bench) -> Iterator[Path]:
    """The sandbox's directory; when a test's containers and networks are removed, nothing of them is left anywhere."""
    directory = Path(part.directory or "")
    yield directory
    for container in bench.runtime.find(bench.labels):
        bench.runtime.remove(container.id)
    for network in bench.runtime.find_networks(bench.labels):
        bench.runtime.remove_network(network)
    assert list((directory / "containers").iterdir()) == []
    assert list((directory / "networks").iterdir()) == []
    assert _processes(directory, bench) == []
    hierarchies = find_hierarchies()
    for base in set(hierarchies.controllers.values()) if hierarchies else ():
        assert list(base.glob(f"sagestone/{store_name(directory)}-*")) == []


def test_it_can_run_here() -> None:
    assert probe() is None


def test_a_machine_that_forbids_it_is_explained() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can forbid namespaces: this user does not limit them")
    ask = "from sagestone.containers.sandbox_probe import probe; print(probe())"
    command = [sys.executable, "-m", "tests.plain_user", "--no-namespaces", sys.executable, "-c", ask]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout.startswith("plain users may not make user namespaces (unshare: No space left on device): run as")
    assert "sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000" in ran.stdout, ran.stderr


def test_a_killed_shim_takes_its_container_along(bench: Bench, place: Path) -> None:
    container = bench.start("sleep 600 & setsid sleep 600 & echo on; sleep 600")
    bench.await_output(container)
    record = Record(directory=place / "containers" / container)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(bench.runtime.wait, container, 60)
        os.kill(_pid(record, "shim"), signal.SIGKILL)
        assert waits.result(60) == Exit(code=137)
    assert not _runs(_pid(record, "child"))
    assert bench.output(container).stdout == b"on\n"
    assert [each.running for each in bench.runtime.find(bench.labels)] == [False]
    assert bench.runtime.usage(container) is None
    assert bench.runtime.stop(container, 1) == Exit(code=137)
    with pytest.raises(ConnectionRefusedError):
        bench.runtime.connect(container, 8080, 1)


def test_a_killed_shim_does_not_leave_a_program_behind_that_changed_its_user(bench: Bench, place: Path) -> None:
    image = bench.load("user", {}, user="nobody")
    container = bench.create(["sh", "-c", "echo on; sleep 600"], image=image.id)
    bench.runtime.start(container)
    bench.await_output(container)
    os.kill(_pid(Record(directory=place / "containers" / container), "shim"), signal.SIGKILL)
    assert bench.ended(container) == Exit(code=137)


def test_a_killed_network_goes_on_until_its_hosts_have_ended(bench: Bench, place: Path, tmp_path: Path) -> None:
    name = f"sagestone-test-{bench.labels['sagestone.test']}"
    bench.runtime.create_network(name, bench.labels)
    listens = "mkfifo /tmp/input; exec 3<>/tmp/input; echo on; nc -l -p 9000 <&3"
    sends = "until [ -e /go/now ]; do sleep 0.05; done; until echo hello | nc -w 5 algo-1 9000; do sleep 0.1; done"
    mounts = [Mount(source=tmp_path, target="/go", read_only=True)]
    hosts = [bench.start(listens, hostname="algo-1", network=name)]
    hosts.append(bench.start(sends, hostname="algo-2", network=name, mounts=mounts))
    bench.await_output(hosts[0])
    os.kill(_holder(place, name), signal.SIGKILL)
    (tmp_path / "now").touch()
    assert [bench.ended(host) for host in hosts] == [Exit(code=0), Exit(code=0)]
    assert bench.output(hosts[0]).stdout == b"on\nhello\n"
    for host in hosts:
        bench.runtime.remove(host)
    late = bench.start("cat /etc/hosts", hostname="algo-3", network=name)
    assert bench.ended(late) == Exit(code=0)
    assert b"\talgo-1\n" in bench.output(late).stdout
    bench.runtime.remove(late)
    holder = _holder(place, name)
    bench.runtime.remove_network(name)
    assert not _runs(holder)


@pytest.mark.parametrize("moment", range(12))
def test_a_starter_that_is_killed_at_any_moment_leaves_nothing(
    bench: Bench, part: RuntimePart, place: Path, moment: int
) -> None:
    container = bench.create(["sleep", "600"])
    starter = get_context("fork").Process(target=_start, args=(part, container))
    starter.start()
    time.sleep(moment * 0.01)  # the moment is what is tested
    assert starter.pid is not None
    with suppress(ProcessLookupError):
        os.kill(starter.pid, signal.SIGKILL)
    starter.join(60)
    bench.runtime.remove(container)
    assert _processes(place, bench) == []


@pytest.mark.parametrize("moment", range(6))
def test_removal_while_it_starts_leaves_nothing(bench: Bench, place: Path, moment: int) -> None:
    container = bench.create(["sleep", "600"])
    with ThreadPoolExecutor(1) as threads:
        starts = threads.submit(bench.runtime.start, container)
        time.sleep(moment * 0.01)  # the moment is what is tested
        bench.runtime.remove(container)
        error = starts.exception(60)
    assert error is None or isinstance(error, RuntimeFailure)
    assert _processes(place, bench) == []


def test_two_starts_at_once_start_it_once(bench: Bench, place: Path) -> None:
    container = bench.create(["sh", "-c", "echo once; sleep 600"])
    with ThreadPoolExecutor(4) as threads:
        errors = [each.exception(60) for each in [threads.submit(bench.runtime.start, container) for _ in range(4)]]
    assert [type(error) for error in errors if error] == [RuntimeFailure] * 3
    bench.await_output(container)
    bench.runtime.stop(container, 0)
    assert bench.output(container).stdout == b"once\n"


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
        pytest.skip("a plain user does not limit what it can mount: only root makes this overlay")
    command = [sys.executable, "-m", "tests.contract.sandbox_on_overlay", str(tmp_path), str(runtime_archives[0])]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == "Exit(code=0, out_of_memory=False)\nstdout b'new\\n'\n[]\n", ran.stderr


def _start(part: RuntimePart, container: str) -> None:
    build_runtime(part).start(container)


def _pid(record: Record, file: str) -> int:
    return int((record.directory / file).read_text().split()[0])


def _holder(place: Path, network: str) -> int:
    return int((place / "networks" / network / "holder").read_text().split()[0])


def _runs(pid: int) -> bool:
    """Whether a process is there that is more than a name waiting for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _processes(directory: Path, bench: Bench) -> list[str]:
    """Shims of that directory and programs of this test's containers."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = str(directory) in str((process / "cwd").readlink())
            if ours or bench.labels["sagestone.test"].encode() in (process / "environ").read_bytes():
                found.append(f"{process.name} {(process / 'cmdline').read_text()!r}")
    return found
