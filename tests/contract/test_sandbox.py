"""What the sandbox promises beyond the runtimes' contract: that nothing stays, whoever is killed and whenever."""

import fcntl
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
from sagestone.containers.fresh import sweep
from sagestone.containers.runtime import AlreadyStarted, Exit, Mount, NameTaken, RuntimeFailure, StartFailed
from sagestone.containers.sandbox.cgroup import Limits, find_hierarchies
from sagestone.containers.sandbox.probe import probe
from sagestone.containers.sandbox.record import LOST, Record, read_spec
from sagestone.containers.sandbox.runtime import SandboxRuntime
from sagestone.containers.sandbox.start import make_orders, store_name
from tests.contract.runtimes import Bench

_ROOT = Path(__file__).parents[2]
_SHIM = "from sagestone.containers.sandbox.shim import main; main()"


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
    ask = "from sagestone.containers.sandbox.probe import probe; print(probe())"
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
        assert waits.result(60) == LOST
    assert not _runs(_pid(record, "child"))
    assert bench.output(container).stdout == b"on\n"
    assert [each.running for each in bench.runtime.find(bench.labels)] == [False]
    assert bench.runtime.usage(container) is None
    assert bench.runtime.stop(container, 1) == LOST
    with pytest.raises(ConnectionRefusedError):
        bench.runtime.connect(container, 8080, 1)


def test_who_dies_before_he_hears_why_it_does_not_start_leaves_it_to_the_next(bench: Bench, place: Path) -> None:
    runtime, container = bench.runtime, bench.create(["no-such-program"])
    assert isinstance(runtime, SandboxRuntime)
    record = Record(directory=place / "containers" / container)
    stored = runtime._store.resolve(record.document()["image"])
    cgroups = runtime._cgroups(record)
    if cgroups is not None:
        cgroups.create(Limits(memory_bytes=None, cpus=None, pids=100))
    with record.locked() as lock:
        orders = make_orders(record.directory, read_spec(record.document()), stored, None, cgroups, lock)
        reading, report = os.pipe()
        os.close(reading)
        command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(_ROOT / 'src')!r}); {_SHIM}"]
        subprocess.run(command, input=orders.dump(), stdout=report, pass_fds=[lock], check=True)
        os.close(report)
    with record.locked():  # the shim has ended
        assert runtime.wait(container, 0) is None
    with pytest.raises(StartFailed, match="no-such-program"):
        runtime.start(container)


def test_how_it_ended_is_written_down_on_a_full_disk_too(bench: Bench, place: Path) -> None:
    container = bench.start("sleep 1; exit 3")
    record = Record(directory=place / "containers" / container)
    room = (record.directory / "exit.json.room").stat()
    assert (room.st_size, room.st_blocks > 0) == (128, True)
    assert bench.runtime.wait(container, 60) == Exit(code=3)
    assert (record.directory / "exit.json").stat().st_ino == room.st_ino


def test_an_end_that_was_cut_off_does_not_stand_in_the_way(bench: Bench, place: Path) -> None:
    container = bench.start("exit 3")
    assert bench.runtime.wait(container, 60) == Exit(code=3)
    (place / "containers" / container / "exit.json").write_text("")  # as an older version left it on a full disk
    assert bench.runtime.wait(container, 60) == LOST
    assert [each.running for each in bench.runtime.find(bench.labels)] == [False]
    bench.runtime.remove(container)
    assert bench.runtime.find(bench.labels) == []


def test_a_killed_shim_does_not_leave_a_program_behind_that_changed_its_user(bench: Bench, place: Path) -> None:
    image = bench.load("user", {}, user="nobody")
    container = bench.create(["sh", "-c", "echo on; sleep 600"], image=image.id)
    bench.runtime.start(container)
    bench.await_output(container)
    os.kill(_pid(Record(directory=place / "containers" / container), "shim"), signal.SIGKILL)
    assert bench.ended(container) == LOST


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


def test_a_removal_that_was_cut_off_is_finished_by_whoever_looks(bench: Bench, place: Path) -> None:
    for kind in ("containers", "networks"):
        (place / kind / ".gone-0123" / "root" / "deep").mkdir(parents=True)
    held = os.open(place / "containers" / ".gone-0123", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)  # somebody is at it
    bench.runtime.find({})
    bench.runtime.find_networks({})
    assert (place / "containers" / ".gone-0123" / "root" / "deep").exists()
    assert not (place / "networks" / ".gone-0123").exists()
    os.close(held)
    bench.runtime.find({})
    assert not (place / "containers" / ".gone-0123").exists()


@pytest.mark.parametrize("moment", range(8))
def test_a_network_whose_maker_is_killed_at_any_moment_is_held_once(
    bench: Bench, part: RuntimePart, place: Path, moment: int
) -> None:
    name = f"sagestone-test-{bench.labels['sagestone.test']}"
    maker = get_context("fork").Process(target=_make_network, args=(part, name, dict(bench.labels)))
    maker.start()
    time.sleep(moment * 0.008)  # the moment is what is tested
    assert maker.pid is not None
    with suppress(ProcessLookupError):
        os.kill(maker.pid, signal.SIGKILL)
    with suppress(NameTaken):
        bench.runtime.create_network(name, bench.labels)
    assert bench.run("true", hostname="algo-1", network=name)[0] == Exit(code=0)
    maker.join(60)
    bench.runtime.remove_network(name)
    assert _holders_in(place / "networks") == []
    sweep(place / "networks")  # as a later opening does with what a killed maker had begun


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
    assert [type(error) for error in errors if error] == [AlreadyStarted] * 3
    bench.await_output(container)
    bench.runtime.stop(container, 0)
    assert bench.output(container).stdout == b"once\n"


def test_a_killed_shim_that_nobody_reaps_has_ended(runtime_archives: list[Path], tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a plain user does not limit what first process there is: only root can arrange one")
    command = [sys.executable, "-m", "tests.contract.sandbox_without_init", str(tmp_path), str(runtime_archives[0])]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == "Exit(code=137, out_of_memory=False, taken_along=True)\nZ\n[]\n", ran.stderr


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


def _make_network(part: RuntimePart, name: str, labels: dict[str, str]) -> None:
    build_runtime(part).create_network(name, labels)


def _holders_in(directory: Path) -> list[str]:
    """Processes of networks, also of one that was removed."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(directory) in str((process / "cwd").readlink()):
                found.append(process.name)
    return found
