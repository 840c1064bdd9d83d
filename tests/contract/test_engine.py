"""What the Engine API driver promises beyond the runtime's contract: images, registries, plain users."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sagestone.agent.parts import RuntimePart
from sagestone.containers.engine.exit import has_ended, inspect
from sagestone.containers.engine.http import EngineRefused, EngineUnreachable
from sagestone.containers.engine.logs import poll_stream
from sagestone.containers.engine.runtime import EngineRuntime
from sagestone.containers.runtime import ImageNotFound, RuntimeFailure, StartFailed
from tests.contract.runtimes import Bench, Output
from tests.engines import engine_pid
from tests.images import busybox, write_archive

_ROOT = Path(__file__).parents[2]
_PLAIN_USER = """
import sys
from sagestone.containers.engine.runtime import EngineRuntime
with EngineRuntime(sys.argv[1]).connect(sys.argv[2], 8080, 10) as connection:
    connection.sendall(b"GET /ping HTTP/1.0\\r\\n\\r\\n")
    sys.stdout.buffer.write(b"".join(iter(lambda: connection.recv(65536), b"")))
"""


@pytest.fixture
def engine(part: RuntimePart) -> EngineRuntime:
    if part.kind != "engine":
        pytest.skip("about engines only")
    return EngineRuntime(part.engine_url or "")


class TestEngine:
    """Docker and Podman."""

    def test_says_which_engine_it_is(self, engine: EngineRuntime, request: pytest.FixtureRequest) -> None:
        assert engine.name in request.node.name
        assert engine.limits_memory

    def test_an_address_where_nothing_answers_is_explained(self, tmp_path: Path) -> None:
        with pytest.raises(EngineUnreachable, match=r"nothing\.sock does not answer"):
            EngineRuntime(f"unix://{tmp_path}/nothing.sock")

    def test_two_networks_of_one_name_are_as_one(self, engine: EngineRuntime, bench: Bench) -> None:
        """Docker makes both when two ask at once, for one of whom nobody waits any more."""
        name = f"sagestone-test-{bench.labels['sagestone.test']}"
        engine.create_network(name, bench.labels)
        with suppress(EngineRefused):  # newer ones never do
            body = {"Name": name, "Driver": "bridge", "Internal": True, "Labels": dict(bench.labels)}
            engine._http.post("/networks/create", {**body, "CheckDuplicate": False})
        peer = bench.start("sleep 600", hostname="algo-1", network=name)
        ended, out, _ = bench.run("nslookup algo-1 | grep -c Name:", hostname="algo-2", network=name)
        assert (ended.code, out) == (0, "1\n")
        engine.remove(peer)
        engine.remove_network(name)
        assert engine.find_networks(bench.labels) == []

    def test_a_network_that_is_gone_is_not_the_images_fault(self, engine: EngineRuntime, bench: Bench) -> None:
        if engine.name == "podman":
            pytest.skip("Podman removes no network that a container is to join")
        name = f"sagestone-test-{bench.labels['sagestone.test']}"
        engine.create_network(name, bench.labels)
        container = bench.create(["true"], network=name)
        engine.remove_network(name)
        with pytest.raises(RuntimeFailure, match=f"network {name} not found") as failure:
            engine.start(container)
        assert not isinstance(failure.value, StartFailed)

    def test_pulls_from_a_registry_and_keeps_its_digest(
        self, engine: EngineRuntime, registry: str, bench: Bench
    ) -> None:
        by_tag = engine.image("127.0.0.1:5000/team/alg:1")
        assert by_tag.digest == registry
        assert by_tag.id != registry
        for reference in (registry, f"127.0.0.1:5000/team/alg@{registry}", by_tag.id):
            assert engine.image(reference).digest == registry
        container = bench.create(["true"], image=registry)
        engine.start(container)
        assert bench.ended(container).code == 0
        engine.remove(container)
        engine.remove_image(by_tag.id)
        assert engine.image(f"127.0.0.1:5000/team/alg@{registry}").id == by_tag.id
        engine.remove_image(by_tag.id)
        with pytest.raises(ImageNotFound, match=r"127\.0\.0\.1:5000/team/alg:2 here, and it could not be pulled"):
            engine.image("127.0.0.1:5000/team/alg:2")

    def test_reading_the_log_again_and_again_loses_nothing(self, engine: EngineRuntime, bench: Bench) -> None:
        container = bench.start("for i in 1 2 3 4 5; do seq 1 2000; sleep 0.2; done")
        bench.await_output(container)  # what is to be skipped has been written
        output = Output()
        poll_stream(engine._http, container, output, {"stdout": 4}, lambda: has_ended(inspect(engine._http, container)))
        once = b"".join(b"%d\n" % number for number in range(1, 2001))
        assert bytes(output.stdout) == (once * 5)[4:]

    def test_gpus_are_asked_for_by_name_and_never_silently_left_out(self, engine: EngineRuntime, bench: Bench) -> None:
        gpus = ("GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77", "GPU-0a7f")  # no machine of ours has any
        if engine.name == "podman":
            with pytest.raises(RuntimeFailure, match=r"2 GPUs asked for, .*use Podman 5\.4 or newer, or Docker"):
                bench.create(["true"], gpus=gpus)
            return
        container = bench.create(["true"], gpus=gpus)
        document = inspect(engine._http, container)
        (request,) = document["HostConfig"]["DeviceRequests"]
        assert (request["DeviceIDs"], request["Count"]) == (list(gpus), 0)
        assert f"NVIDIA_VISIBLE_DEVICES={','.join(gpus)}" in document["Config"]["Env"]
        with pytest.raises(StartFailed, match="could not select device driver"):
            engine.start(container)

    def test_hosts_of_one_job_do_not_reach_the_machine(
        self, engine: EngineRuntime, part: RuntimePart, bench: Bench
    ) -> None:
        if engine.name == "podman":
            pytest.skip("Podman does not promise it: the machine has an address on every bridge (docs/security.md)")
        enter = ["nsenter", f"--net=/proc/{engine_pid(part.engine_url or '')}/ns/net"]
        name = f"sagestone-test-{bench.labels['sagestone.test']}"
        engine.create_network(name, bench.labels)
        peer = bench.start("sleep 600", hostname="algo-1", network=name)
        listing = subprocess.run([*enter, "ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True)
        addresses = [each for each in re.findall(r"inet ([0-9.]+)/", listing.stdout) if not each.startswith("127.")]
        assert addresses, "the default bridge has one"
        script = """
            own=$(hostname -i)
            for address in ${own%.*}.1 $ADDRESSES; do
                nc -w 1 $address 45871 </dev/null >/dev/null 2>&1 && echo reached $address
            done
            nslookup algo-1 | grep -c "Name:"
        """
        listening = subprocess.Popen([*enter, sys.executable, "-m", "http.server", "45871"], stderr=subprocess.DEVNULL)
        try:
            ask = [*enter, busybox(), "nc", "-w", "1", addresses[0], "45871"]
            deadline = time.monotonic() + 30
            while subprocess.run(ask, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode != 0:
                assert time.monotonic() < deadline, "nothing listens"
                time.sleep(0.05)
            environment = {"ADDRESSES": " ".join(addresses)}
            _, out, _ = bench.run(script, hostname="algo-2", network=name, environment=environment)
        finally:
            listening.terminate()
            listening.wait(30)
        assert out == "1\n"
        engine.remove(peer)
        engine.remove_network(name)

    def test_a_plain_user_reaches_a_port_of_a_container_without_a_network(
        self, engine: EngineRuntime, bench: Bench
    ) -> None:
        container = bench.start("mkdir /tmp/w; echo pong > /tmp/w/ping; exec httpd -f -p 8080 -h /tmp/w")
        deadline = time.monotonic() + 30
        while True:
            answer = self._as_plain_user(engine.url, container)
            if "ConnectionRefused" not in answer.stderr or time.monotonic() > deadline:
                break
        if engine.name == "podman":
            assert "run the service as root" in answer.stderr
        else:
            assert answer.stdout.endswith("pong\n"), answer.stderr
            assert len(engine.find_networks(bench.labels)) == 1
        engine.remove(container)
        assert engine.find_networks(bench.labels) == []

    def _as_plain_user(self, url: str, container: str) -> subprocess.CompletedProcess[str]:
        """Without any capability, beside the engine's bridges: what a member of the docker group can do."""
        enter = [
            "nsenter",
            f"--net=/proc/{engine_pid(url)}/ns/net",
            "setpriv",
            "--bounding-set=-all",
            "--inh-caps=-all",
        ]
        command = [*enter, sys.executable, "-c", _PLAIN_USER, url, container]
        return subprocess.run(command, capture_output=True, text=True, cwd=_ROOT, check=False, timeout=60)


@pytest.fixture
def registry(engine: EngineRuntime, tmp_path: Path) -> Iterator[str]:
    """A registry that the engine reaches as 127.0.0.1:5000; gives the digest of the image it serves."""
    archive = write_archive(tmp_path / "served.tar", "served:1", {"/served": b"yes"}).path
    enter = ["nsenter", f"--net=/proc/{engine_pid(engine.url)}/ns/net"]
    command = [*enter, sys.executable, "-m", "tests.registry", str(archive)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()
