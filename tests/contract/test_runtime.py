"""The promises of `sagestone.containers.runtime`, on every implementation. See also test_runtime_isolation."""

import socket
import time
from pathlib import Path

import pytest

from sagestone.containers.runtime import Exit, ImageNotFound, Mount, NameTaken, RuntimeFailure, StartFailed
from tests.contract.runtimes import ENTRYPOINT_IMAGE, IMAGE, Bench


class TestRuntime:
    """Making, running, hearing and removing containers."""

    def test_resolves_an_image_by_name_digest_and_id(self, bench: Bench) -> None:
        image = bench.runtime.image(IMAGE)
        assert image.digest.startswith("sha256:")
        assert len(image.id) == len("sha256:") + 64
        name = IMAGE.rpartition(":")[0]
        for reference in (image.digest, image.id, f"{name}@{image.digest}"):
            assert bench.runtime.image(reference).id == image.id
        assert image.id in [held.id for held in bench.runtime.images()]

    def test_an_image_that_is_not_there_is_named(self, bench: Bench) -> None:
        for reference in (f"sha256:{'0' * 64}", "registry.invalid/nothing:1", f"{IMAGE[:-2]}@sha256:{'1' * 64}"):
            with pytest.raises(ImageNotFound, match=reference[:20]):
                bench.runtime.image(reference)
            with pytest.raises(ImageNotFound, match=reference[:20]):
                bench.create(["true"], image=reference)

    def test_a_taken_name_changes_nothing(self, bench: Bench) -> None:
        spec = bench.spec(["true"], labels={"sagestone.first": "yes"})
        container = bench.runtime.create(spec)
        with pytest.raises(NameTaken, match=spec.name):
            bench.runtime.create(bench.spec(["false"], name=spec.name))
        found = bench.runtime.find(bench.labels)
        assert [(each.id, each.name, each.running) for each in found] == [(container, spec.name, False)]
        assert found[0].labels["sagestone.first"] == "yes"

    def test_keeps_entrypoint_workdir_and_environment(self, bench: Bench) -> None:
        container = bench.create(
            ["train", "it's two words"], image=ENTRYPOINT_IMAGE, environment={"SECOND": "job's", "THIRD": "a=b c"}
        )
        bench.runtime.start(container)
        assert bench.ended(container) == Exit(code=0)
        lines = bench.output(container).stdout.decode().splitlines()
        assert lines == ["entry: train it's two words", "in /srv/work", "image's job's a=b c"]

    @pytest.mark.parametrize("words", [(), ("a", "b c")])
    def test_an_entrypoint_takes_the_place_of_the_images_with_its_arguments(
        self, bench: Bench, words: tuple[str, ...]
    ) -> None:
        entrypoint = ["/bin/sh", "-c", 'for word in "$@"; do echo "<$word>"; done; pwd', "me"]
        container = bench.create(words, image=ENTRYPOINT_IMAGE, entrypoint=entrypoint)
        bench.runtime.start(container)
        assert bench.ended(container) == Exit(code=0)
        lines = bench.output(container).stdout.decode().splitlines()
        assert lines == [*(f"<{word}>" for word in words), "/srv/work"]

    @pytest.mark.parametrize("code", [0, 1, 42, 137])
    def test_tells_the_exit_code_every_time(self, bench: Bench, code: int) -> None:
        container = bench.start(f"exit {code}")
        assert bench.ended(container) == Exit(code=code)
        assert bench.ended(container) == Exit(code=code)
        assert bench.runtime.wait(container, 0) == Exit(code=code)
        assert bench.runtime.stop(container, 1) == Exit(code=code)

    def test_waiting_gives_up_in_time(self, bench: Bench) -> None:
        container = bench.start("sleep 60")
        assert bench.runtime.wait(container, 0.2) is None
        assert bench.runtime.wait(container, 0) is None
        bench.runtime.stop(container, 0)

    def test_a_command_that_is_missing_fails_the_start(self, bench: Bench) -> None:
        container = bench.create(["no-such-program"])
        for _ in range(2):  # who died before he heard of it is told by the next start
            with pytest.raises(StartFailed, match="no-such-program"):
                bench.runtime.start(container)
            assert [each.started for each in bench.runtime.find(bench.labels)] == [False]
            assert bench.runtime.wait(container, 0) is None
        bench.runtime.remove(container)
        assert bench.runtime.find(bench.labels) == []

    def test_streams_arrive_apart_and_whole(self, bench: Bench) -> None:
        _, out, err = bench.run("echo one; echo uno >&2; printf 'tab\\there\\n\\n'; echo due >&2; printf 'no end'")
        assert out.rstrip("\n") == "one\ntab\there\n\nno end"
        assert err == "uno\ndue\n"

    def test_two_hundred_thousand_lines_arrive_once_and_in_order(self, bench: Bench) -> None:
        container = bench.create(["sh", "-c", "seq 1 200000; seq 1 50000 >&2; echo end"])
        thread, live = bench.following(container)
        bench.runtime.start(container)
        bench.ended(container)
        thread.join()
        late = bench.output(container)
        expected = b"".join(b"%d\n" % number for number in range(1, 200_001)) + b"end\n"
        for output in (live, late):
            assert bytes(output.stdout) == expected
            assert bytes(output.stderr) == expected[: len(output.stderr)]
            assert output.stderr.endswith(b"\n50000\n")

    def test_logs_come_while_it_runs_and_go_on_where_they_were_left(self, bench: Bench) -> None:
        container = bench.start("echo first; echo problem >&2; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last")
        thread, output = bench.following(container)
        deadline = time.monotonic() + 30
        while not (output.stdout and output.stderr) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert output.stdout == b"first\n"
        bench.runtime.stop(container, 0)
        thread.join()
        rest = bench.output(container, {"stdout": 3, "stderr": len(b"problem\n")})
        assert rest.stdout == b"st\n"
        assert rest.stderr == b""

    def test_stop_lets_a_program_end_by_itself(self, bench: Bench) -> None:
        container = bench.start("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.1; done")
        bench.await_output(container)
        assert bench.runtime.stop(container, 30) == Exit(code=7)
        assert bench.output(container).stdout == b"ready\nbye\n"

    def test_stop_kills_what_ignores_it(self, bench: Bench) -> None:
        container = bench.start("trap '' TERM; echo ready; while :; do sleep 0.1; done", memory_bytes=64 << 20)
        bench.await_output(container)
        began = time.monotonic()
        assert bench.runtime.stop(container, 0.5) == Exit(code=137)
        assert time.monotonic() - began >= 0.5
        assert bench.ended(container) == Exit(code=137)

    def test_usage_of_a_running_container(self, bench: Bench) -> None:
        container = bench.start("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo ready; sleep 60")
        bench.await_output(container)
        usage = bench.runtime.usage(container)
        assert usage is not None
        assert 0 < usage.memory_bytes < 1 << 30
        assert 0 < usage.cpu_seconds < 60
        bench.runtime.stop(container, 0)
        assert bench.runtime.usage(container) is None

    def test_finds_by_all_labels(self, bench: Bench) -> None:
        ran = bench.start("true", labels={"sagestone.job": "a", "sagestone.instance": "1"})
        runs = bench.start("sleep 60", labels={"sagestone.job": "a", "sagestone.instance": "2"})
        bench.ended(ran)
        found = {each.id: each.running for each in bench.runtime.find({**bench.labels, "sagestone.job": "a"})}
        assert found == {ran: False, runs: True}
        one = bench.runtime.find({"sagestone.instance": "2", **bench.labels, "sagestone.job": "a"})
        assert [each.id for each in one] == [runs]
        assert bench.runtime.find({**bench.labels, "sagestone.job": "b"}) == []

    def test_remove_kills_and_may_be_repeated(self, bench: Bench) -> None:
        for container in (bench.create(["true"]), bench.start("sleep 60"), bench.start("true")):
            bench.runtime.remove(container)
            bench.runtime.remove(container)
        assert bench.runtime.find(bench.labels) == []

    def test_mounts_are_exactly_as_asked(self, bench: Bench, tmp_path: Path) -> None:
        given, taken = tmp_path / "given", tmp_path / "taken"
        given.mkdir()
        taken.mkdir()
        (given / "data").write_text("hello")
        mounts = [
            Mount(source=given, target="/opt/ml/input/data", read_only=True),
            Mount(source=taken, target="/opt/ml/model"),
        ]
        script = "cat /opt/ml/input/data/data > /opt/ml/model/copy; echo no > /opt/ml/input/data/more || exit 5"
        ended, _, err = bench.run(script, mounts=mounts)
        assert ended == Exit(code=5)
        assert "Read-only" in err
        assert (taken / "copy").read_text() == "hello"
        assert [entry.name for entry in given.iterdir()] == ["data"]

    def test_a_mount_without_a_source_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        missing = tmp_path / "missing"
        with pytest.raises(RuntimeFailure, match=str(missing)):
            bench.create(["true"], mounts=[Mount(source=missing, target="/opt/ml/model")])
        assert not missing.exists()
        assert bench.runtime.find(bench.labels) == []

    def test_too_much_memory_kills(self, bench: Bench) -> None:
        if not bench.runtime.limits_memory:
            pytest.skip(f"{bench.runtime.name} does not limit memory for this user, and says so")
        ended, out, _ = bench.run("echo start; exec tail /dev/zero", memory_bytes=64 << 20)
        assert ended == Exit(code=137, out_of_memory=True)
        assert out == "start\n"

    @pytest.mark.parametrize("network", [False, True])
    def test_connects_to_a_port_inside(self, bench: Bench, network: bool) -> None:
        name = f"sagestone-test-{bench.labels['sagestone.test']}"
        if network:
            bench.runtime.create_network(name, bench.labels)
        serve = "mkdir /tmp/w; echo pong > /tmp/w/ping; exec httpd -f -p 8080 -h /tmp/w"
        container = bench.start(serve, network=name if network else None)
        for _ in range(3):
            with self._connected(bench, container) as connection:
                connection.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
            assert answer.endswith(b"pong\n")
        with pytest.raises(ConnectionRefusedError):
            bench.runtime.connect(container, 8081, 5)
        bench.runtime.stop(container, 0)
        with pytest.raises(ConnectionRefusedError):
            bench.runtime.connect(container, 8080, 5)

    def _connected(self, bench: Bench, container: str) -> socket.socket:
        deadline = time.monotonic() + 30
        while True:
            try:
                return bench.runtime.connect(container, 8080, 5)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
