"""The promises of `sagestone.containers.runtime` about networks, rights and other processes, on all of them."""

import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest

from sagestone.agent.build import build_runtime
from sagestone.agent.parts import RuntimePart
from sagestone.containers.runtime import Container, ContainerSpec, Exit, NameTaken
from tests.contract.runtimes import Bench

#: An input that never ends, as descriptor 3: with one that has, nc may hang up before it has read or sent a byte.
_OPEN_INPUT = "mkfifo /tmp/input; exec 3<>/tmp/input"


class TestRuntimeIsolation:
    """What a container can reach, may do, and what another process sees of it."""

    def test_without_a_network_it_reaches_only_itself(self, bench: Bench) -> None:
        script = (
            "hostname; nslookup algo-1 >/dev/null 2>&1; cat /etc/hosts; ls /sys/class/net 2>/dev/null || ifconfig -a"
        )
        _, out, _ = bench.run(script, hostname="algo-1")
        assert out.splitlines()[0] == "algo-1"
        assert any("127.0.0.1" in line and "algo-1" in line.split() for line in out.splitlines())
        assert "eth0" not in out
        ended, _, _ = bench.run("nc -w 2 1.1.1.1 53 </dev/null")
        assert ended.code != 0

    def test_an_outward_one_reaches_what_the_machine_reaches(self, bench: Bench) -> None:
        routes = "tail -n +2 /proc/net/route"
        assert bench.run(routes)[1] == ""
        _, out, _ = bench.run(routes, outward=True)
        if bench.runtime.name == "sandbox":
            assert out.splitlines() == Path("/proc/net/route").read_text().splitlines()[1:]
        else:
            assert any(line.split()[1] == "00000000" for line in out.splitlines())
        assert "algo-1" in bench.run("cat /etc/hosts", outward=True)[1].split()
        name = f"sagestone-test-{bench.labels['sagestone.test']}"
        bench.runtime.create_network(name, bench.labels, outward=True)
        _, out, _ = bench.run(routes, network=name, outward=True)
        leads_out = any(line.split()[1] == "00000000" for line in out.splitlines())
        assert leads_out == (bench.runtime.name != "sandbox")
        bench.runtime.remove_network(name)

    def test_reaches_itself_by_its_host_name(self, bench: Bench) -> None:
        script = f"""
            {_OPEN_INPUT}
            (echo hello | nc -l -p 9000) &
            for i in $(seq 100); do nc -w 5 algo-1 9000 <&3 && exit 0; sleep 0.1; done
            exit 1
        """
        ended, out, _ = bench.run(script)
        assert (ended, out) == (Exit(code=0), "hello\n")

    def test_two_hosts_reach_each_other_and_nothing_else(self, bench: Bench) -> None:
        name = f"sagestone-test-{bench.labels['sagestone.test']}"
        bench.runtime.create_network(name, bench.labels)
        with pytest.raises(NameTaken, match=name):
            bench.runtime.create_network(name, bench.labels)
        assert bench.runtime.find_networks(bench.labels) == [name]
        script = f"""
            {_OPEN_INPUT}
            nc -l -p 9000 > /tmp/got <&3 &
            for peer in algo-1 algo-2; do
                while nc -w 5 $peer 9 </dev/null 2>&1 | grep -q "bad address"; do sleep 0.1; done
            done
            hostname > /tmp/name
            until nc -w 5 $PEER 9000 < /tmp/name; do sleep 0.1; done
            wait
            cat /tmp/got
            nc -w 2 1.1.1.1 53 </dev/null && echo escaped
            exit 0
        """
        hosts = [
            bench.start(script, hostname=f"algo-{host}", network=name, environment={"PEER": f"algo-{3 - host}"})
            for host in (1, 2)
        ]
        assert [bench.ended(host) for host in hosts] == [Exit(code=0), Exit(code=0)]
        assert [bytes(bench.output(host).stdout) for host in hosts] == [b"algo-2\n", b"algo-1\n"]
        for host in hosts:
            bench.runtime.remove(host)
        bench.runtime.remove_network(name)
        bench.runtime.remove_network(name)
        assert bench.runtime.find_networks(bench.labels) == []

    def test_hosts_of_another_network_are_out_of_reach(self, bench: Bench) -> None:
        names = [f"sagestone-test-{bench.labels['sagestone.test']}-{each}" for each in "ab"]
        for name in names:
            bench.runtime.create_network(name, bench.labels)
        serving = f"{_OPEN_INPUT}; hostname -i; while true; do nc -l -p 9000 <&3; done"
        other = bench.start(serving, hostname="algo-1", network=names[0])
        bench.await_output(other)
        address = _first_line(bench, other)
        # the sandbox gives the same addresses in every network: as algo-2 it is not itself that is tried
        tries = f"nc -w 2 {address} 9000 </dev/null && echo reached; nslookup algo-1 2>&1 | grep {address}"
        ended, out, _ = bench.run(f"{tries}; exit 0", hostname="algo-2", network=names[1])
        assert (ended, out) == (Exit(code=0), "")
        bench.runtime.remove(other)
        for name in names:
            bench.runtime.remove_network(name)

    def test_this_process_can_listen_on_its_loopback(self, bench: Bench) -> None:
        script = "until wget -q -O - http://127.0.0.1:9555/; do sleep 0.1; done"
        container = bench.start(script)
        with bench.runtime.listen(container, 9555) as listener:
            listener.settimeout(30)
            inside, _ = listener.accept()
            with inside:
                assert inside.recv(65536).startswith(b"GET / HTTP/1.1")
                inside.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        assert bench.ended(container) == Exit(code=0)
        assert bytes(bench.output(container).stdout) == b"hello"

    def test_rights_are_few(self, bench: Bench) -> None:
        script = "mknod /tmp/disk b 8 0 && echo device; mount -t tmpfs none /tmp && echo mounted; id -u"
        _, out, _ = bench.run(script)
        assert out.splitlines()[-1] == "0"
        assert "device" not in out
        assert "mounted" not in out

    def test_shared_memory_is_as_large_as_asked(self, bench: Bench) -> None:
        _, out, _ = bench.run("df -k /dev/shm | tail -1 | awk '{print $2}'", shared_memory_bytes=32 << 20)
        assert int(out) == 32 << 10

    def test_another_process_finds_waits_and_removes(self, bench: Bench, part: RuntimePart) -> None:
        container = bench.start("sleep 1; echo out; exit 9")
        ended = bench.start("exit 3")
        bench.ended(ended)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
            found = elsewhere.submit(_find, part, dict(bench.labels)).result(60)
            assert {each.id for each in found} == {container, ended}
            assert elsewhere.submit(_wait, part, container).result(60) == (Exit(code=9), b"out\n")
            assert elsewhere.submit(_wait, part, ended).result(60) == (Exit(code=3), b"")
            assert bench.ended(container) == Exit(code=9)
            elsewhere.submit(_remove, part, container).result(60)
        assert [each.id for each in bench.runtime.find(bench.labels)] == [ended]

    def test_it_outlives_the_process_that_started_it(self, bench: Bench, part: RuntimePart, tmp_path: Path) -> None:
        dying = get_context("spawn").Process(
            target=_start_and_die, args=(part, bench.spec(["sh", "-c", "echo on; sleep 1; echo ends; exit 5"]))
        )
        dying.start()
        dying.join(60)
        assert dying.exitcode == -signal.SIGKILL
        (found,) = bench.runtime.find(bench.labels)
        assert found.started
        assert bench.ended(found.id) == Exit(code=5)
        assert bench.output(found.id).stdout == b"on\nends\n"

    def test_removal_leaves_no_process_and_no_mount(self, bench: Bench, tmp_path: Path) -> None:
        mark = f"sagestone-mark-{os.getpid()}-{bench.labels['sagestone.test']}"
        container = bench.start(f"sleep 600 & sh -c 'exec sleep 600' {mark}; sleep 600")
        bench.runtime.remove(container)
        left = [entry for entry in Path("/proc").glob("[0-9]*/cmdline") if mark in _content(entry)]
        assert left == []
        assert [line for line in _mounts() if container in line] == []


def _first_line(bench: Bench, container: str) -> str:
    """The first line that a container wrote, which it has by now."""
    lines: list[str] = []

    def take(_stream: str, data: bytes) -> None:
        lines.extend(data.decode().splitlines())
        raise _Enough

    with suppress(_Enough):
        bench.runtime.copy_logs(container, take)
    return lines[0]


class _Enough(Exception):
    """What was looked for has been read."""


def _find(part: RuntimePart, labels: dict[str, str]) -> list[Container]:
    return build_runtime(part).find(labels)


def _wait(part: RuntimePart, container: str) -> tuple[Exit | None, bytes]:
    runtime = build_runtime(part)
    output = bytearray()
    ended = runtime.wait(container, 60)
    runtime.copy_logs(container, lambda _stream, data: output.extend(data))
    return ended, bytes(output)


def _start_and_die(part: RuntimePart, spec: ContainerSpec) -> None:
    runtime = build_runtime(part)
    runtime.start(runtime.create(spec))
    os.kill(os.getpid(), signal.SIGKILL)


def _remove(part: RuntimePart, container: str) -> None:
    build_runtime(part).remove(container)


def _mounts() -> list[str]:
    """All mounts in sight, which on a machine in use are others' too."""
    return Path("/proc/self/mountinfo").read_text().splitlines() if sys.platform == "linux" else []


def _content(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
