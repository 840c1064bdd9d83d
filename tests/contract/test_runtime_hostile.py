"""What a hostile container tries, on every runtime: one program tries it all, and nothing of it may succeed."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sagestone.agent.parts import RuntimePart
from sagestone.containers.runtime import Exit, Mount
from tests.contract.hostile import Report, hostile_program
from tests.contract.runtimes import Bench

_PRESSURE = {f"write-kernel-file /proc/pressure/{each}" for each in ("cpu", "io", "memory")}
#: What the default profile of an engine lets through; newer versions refuse some of it. Docker 20.10, Podman 4.3.
ENGINE_GIVES = {
    "sandbox": frozenset[str](),
    "docker": frozenset({"io-uring", "hypervisor-socket", *_PRESSURE}),
    "podman": frozenset({"unshare user", "clone user", "clone3 user", "keyctl", "hypervisor-socket", *_PRESSURE}),
}
#: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE, SYS_CHROOT.
CAPABILITIES = sum(1 << number for number in (0, 1, 3, 4, 5, 6, 7, 10, 18))
SHARED, PROCESSES = 8 << 20, 100


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return hostile_program(tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def machine(bench: Bench, part: RuntimePart, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Things of the machine that a container must not reach, all of them there; by the program's variables."""
    secret, sock = tmp_path / "secret", tmp_path / "service.sock"
    secret.write_text("of another job")
    engine = (part.engine_url or "").removeprefix("unix://")
    with ExitStack() as opened:
        tcp = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        for address in (str(sock), f"\0sagestone-test-{os.getpid()}"):
            listener = opened.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        port = tcp.getsockname()[1]
        yield {
            "SECRETS": ",".join(filter(None, [str(secret), str(sock), str(tmp_path), engine, part.directory])),
            "PIDS": f"{os.getpid()},{os.getppid()}",
            "TARGETS": f"127.0.0.1:{port},169.254.169.254:80,169.254.170.2:80,172.17.0.1:{port},10.88.0.1:{port}",
            "ABSTRACT": f"sagestone-test-{os.getpid()}",
            "READ_ONLY": "/opt/ml/model",
        }


def test_nothing_that_a_hostile_program_tries_succeeds(
    bench: Bench, machine: dict[str, str], program: bytes, tmp_path: Path
) -> None:
    image = bench.load("hostile", {"/bin/hostile": program, "/tmp/self": program})
    given = tmp_path / "given"
    given.mkdir()
    mounts = [Mount(source=given, target="/opt/ml/model", read_only=True)]
    container = bench.create(
        ["/bin/hostile"],
        image=image.id,
        environment=machine,
        mounts=mounts,
        shared_memory_bytes=SHARED,
        pids_limit=PROCESSES,
    )
    bench.runtime.start(container)
    assert bench.ended(container) == Exit(code=0)
    said = Report.read(bench.output(container).stdout.decode())
    beyond = said.done - ENGINE_GIVES[bench.runtime.name]
    assert not beyond, (sorted(beyond), said.facts)
    assert len(said.refused) > 150
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert int(said.facts[name], 16) & ~CAPABILITIES == 0
    assert (said.facts["CapInh"], said.facts["CapAmb"]) == ("0" * 16, "0" * 16)
    assert (said.facts["NoNewPrivs"], said.facts["Seccomp"]) == ("1", "2")
    assert int(said.facts["shared-memory"]) <= SHARED
    assert int(said.facts["processes"]) <= PROCESSES
    assert list(given.iterdir()) == []
