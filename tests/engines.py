"""Real engines for tests: an own dockerd and an own Podman service, apart from whatever the machine runs.

Each has its own directories, sockets, mount namespace and network namespace, so its mounts, bridges and firewall rules
end with it. Debian packages: docker.io podman runc conmon netavark aardvark-dns iptables iproute2 util-linux
busybox-static. `SAGESTONE_TEST_ENGINES=docker,podman` makes an engine that is missing a failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, get_args

import pytest

from sagestone.containers.engine.http import EngineHttp, EngineRefused, EngineUnreachable

EngineKind = Literal["docker", "podman"]

#: The parameters of a fixture that gives each engine in turn.
ENGINES = [
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("podman", marks=pytest.mark.podman),
]

_PROGRAMS = {
    "docker": ("dockerd", "containerd", "runc", "iptables", "unshare", "ip"),
    "podman": ("podman", "conmon", "runc", "iptables", "unshare", "ip"),
}
_PACKAGES = {
    "docker": "docker.io runc iptables util-linux",
    "podman": "podman conmon runc netavark aardvark-dns iptables util-linux",
}
_KEEPER = Path(__file__).with_name("engine_keeper.py")


def missing_engine_reason(kind: EngineKind) -> str | None:
    """Why this machine cannot run that engine for tests, with what to do; None when it can."""
    if os.geteuid() != 0:
        return f"{kind} tests start their own engine, which needs root"
    missing = [program for program in _PROGRAMS[kind] if shutil.which(program) is None]
    if missing:
        return f"{kind} tests need {', '.join(missing)}: apt-get install {_PACKAGES[kind]}"
    probe = subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return f"{kind} tests need mount and network namespaces, which are refused here: {probe.stderr.strip()}"
    return None


@contextmanager
def running_engine(kind: EngineKind, around: Sequence[str] = ()) -> Iterator[str]:
    """A fresh engine; gives its url. Ends with every container, process, mount and network of it gone.

    `around` is a command that runs the daemon's, which follows it.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"sagestone-{kind}-", dir="/tmp"))
    log = directory / "engine.log"
    before = _control_groups()
    try:
        command, environment = engine_command(kind, directory)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-E", "-S", str(_KEEPER), *around, *command],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        try:
            http = EngineHttp(f"unix://{directory}/engine.sock")
            _await_answer(http, process, log)
            yield http.url
            _remove_containers(http)
        finally:
            _end(process)
    finally:
        shutil.rmtree(directory)
        _remove_control_groups(_control_groups() - before)


def engine_command(kind: EngineKind, directory: Path) -> tuple[Sequence[str], dict[str, str]]:
    """The daemon that keeps everything below that directory and listens on `engine.sock` there; its environment."""
    return _docker(directory) if kind == "docker" else _podman(directory)


def engine_pid(url: str) -> int:
    """The process of an engine that `running_engine` started: its network namespace is where the bridges are."""
    return int(Path(url.removeprefix("unix://")).with_name("engine.pid").read_text())


def required_engines() -> frozenset[str]:
    """The engines that `SAGESTONE_TEST_ENGINES` says must be there."""
    return frozenset(word for word in os.environ.get("SAGESTONE_TEST_ENGINES", "").split(",") if word.strip())


def deselect_missing_engines(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For `pytest_collection_modifyitems`: leave out what no engine here can run, unless the engine is required."""
    for kind in get_args(EngineKind):
        concerned = [item for item in items if item.get_closest_marker(kind)]
        reason = missing_engine_reason(kind) if concerned else None
        if reason is None:
            continue
        if kind in required_engines():
            raise pytest.UsageError(f"SAGESTONE_TEST_ENGINES asks for {kind}, but {reason}")
        items[:] = [item for item in items if item not in concerned]
        config.hook.pytest_deselected(items=concerned)


def report_missing_engines(terminal: pytest.TerminalReporter) -> None:
    """For `pytest_terminal_summary`: one plain line for each engine that no test can use on this machine."""
    for kind in get_args(EngineKind):
        reason = missing_engine_reason(kind)
        if reason is not None:
            terminal.write_line(f"NOT TESTED: {kind}: {reason}", yellow=True)


def _docker(directory: Path) -> tuple[Sequence[str], dict[str, str]]:
    command = ["dockerd", "--host", f"unix://{directory}/engine.sock", "--data-root", f"{directory}/data"]
    command += [
        "--exec-root",
        f"{directory}/exec",
        "--pidfile",
        f"{directory}/pid",
        "--config-file",
        f"{directory}/none",
    ]
    command += ["--group", str(os.getgid()), "--cgroup-parent", f"/{directory.name}"]
    (directory / "none").write_text("{}")
    return command, {}


def _podman(directory: Path) -> tuple[Sequence[str], dict[str, str]]:
    """Explicit where Podman's defaults want systemd: runc, cgroupfs, ulimits of its own, logs and events in files."""
    (directory / "containers.conf").write_text(
        f"""[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
cgroups = "enabled"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
events_logfile_path = "{directory}/events.log"
tmp_dir = "{directory}/tmp"
volume_path = "{directory}/volumes"
[network]
network_backend = "netavark"
network_config_dir = "{directory}/networks"
"""
    )
    (directory / "storage.conf").write_text(
        f"""[storage]
driver = "{_storage_driver(directory)}"
graphroot = "{directory}/graph"
runroot = "{directory}/run"
"""
    )
    (directory / "registries.conf").write_text('[[registry]]\nlocation = "127.0.0.1:5000"\ninsecure = true\n')
    environment = {
        "CONTAINERS_CONF": f"{directory}/containers.conf",
        "CONTAINERS_STORAGE_CONF": f"{directory}/storage.conf",
        "CONTAINERS_REGISTRIES_CONF": f"{directory}/registries.conf",
        "XDG_RUNTIME_DIR": f"{directory}/runtime",
    }
    (directory / "runtime").mkdir(mode=0o700)
    return ["podman", "system", "service", "--time=0", f"unix://{directory}/engine.sock"], environment


def _storage_driver(directory: Path) -> str:
    for name in ("lower", "upper", "work", "merged"):
        (directory / "probe" / name).mkdir(parents=True)
    options = "lowerdir=lower,upperdir=upper,workdir=work"
    probe = ["unshare", "--mount", "mount", "-t", "overlay", "overlay", "-o", options, "merged"]
    works = subprocess.run(probe, cwd=directory / "probe", capture_output=True, check=False).returncode == 0
    return "overlay" if works else "vfs"


def _await_answer(http: EngineHttp, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the engine did not start:\n{log.read_text(errors='replace')[-4000:]}")
        try:
            http.version(timeout=5)
            return
        except (EngineUnreachable, EngineRefused):
            time.sleep(0.05)


def _remove_containers(http: EngineHttp) -> None:
    for container in http.get("/containers/json", all=True):
        with suppress(EngineRefused):
            http.post(f"/containers/{container['Id']}/kill", signal="SIGKILL")
        with suppress(EngineRefused):
            http.delete(f"/containers/{container['Id']}", force=True, v=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the engine to end; its keeper kills what it left."""
    process.terminate()
    process.wait(timeout=60)


def _control_groups() -> set[Path]:
    roots = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/")]
    return {
        group for root in roots for group in root.glob("*/") if group.name.startswith(("sagestone-", "libpod_parent"))
    }


def _remove_control_groups(groups: set[Path]) -> None:
    """Only empty ones can be removed; one that is still used belongs to another engine."""
    for group in groups:
        for directory in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):
                directory.rmdir()
        with suppress(OSError):
            group.rmdir()
