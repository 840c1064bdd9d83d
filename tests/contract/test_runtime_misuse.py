"""Programs and images that behave badly, on every implementation: each ends as promised and leaves nothing."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from sagestone.agent.volume import disk_usage
from sagestone.containers.runtime import AlreadyStarted, Exit, RuntimeFailure, StartFailed
from tests.contract.runtimes import Bench, Output
from tests.images import busybox


class TestRuntimeMisuse:
    """What users' images do, meant or not."""

    def test_a_program_that_forks_without_end_is_bounded(self, bench: Bench) -> None:
        script = "bomb() { bomb | bomb & }; (bomb 2>/dev/null) & echo set off; exec sleep 600"
        container = bench.start(script, pids_limit=64, cpus=0.3)
        bench.await_output(container)
        assert bench.runtime.stop(container, 0) == Exit(code=137)
        bench.runtime.remove(container)
        assert bench.runtime.find(bench.labels) == []

    def test_no_more_processes_than_asked(self, bench: Bench) -> None:
        script = "for i in $(seq 200); do sleep 60 & done; echo never"
        ended, out, err = bench.run(script, pids_limit=50)
        assert ended.code != 0
        assert "never" not in out
        assert "can't fork" in err

    def test_output_beyond_all_measure_arrives_whole(self, bench: Bench) -> None:
        size = 256 << 20
        container = bench.start(f"head -c {size} /dev/zero; head -c 1000 /dev/zero >&2; exit 4")
        counts = {"stdout": 0, "stderr": 0}

        def count(stream: str, data: bytes) -> None:
            counts[stream] += len(data)

        bench.runtime.copy_logs(container, count)
        assert bench.ended(container) == Exit(code=4)
        assert counts == {"stdout": size, "stderr": 1000}

    def test_a_flood_that_nobody_reads_is_bounded_and_its_end_is_kept(self, bench: Bench) -> None:
        kept = 4 << 20
        script = "yes 0123456789012345678901234567890 | head -c 40000000; echo; echo last words"
        container = bench.start(script, kept_output_bytes=kept)
        assert bench.ended(container) == Exit(code=0)
        gone: list[int] = []
        output = Output()
        bench.runtime.copy_logs(container, output, None, lambda _stream, count: gone.append(count))
        assert len(output.stdout) <= 2 * kept
        assert output.stdout.endswith(b"last words\n")
        if bench.runtime.name == "sandbox":
            assert sum(gone) + len(output.stdout) == 40_000_000 + len("\nlast words\n")
            again = Output()
            bench.runtime.copy_logs(container, again, {"stdout": 40_000_000})
            assert again.stdout == b"\nlast words\n"

    def test_what_is_written_beside_mounts_can_be_measured(self, bench: Bench) -> None:
        container = bench.start("head -c 8000000 /dev/zero > /root/big; echo written; sleep 600")
        bench.await_output(container)
        assert sum(map(disk_usage, bench.runtime.places(container))) >= 8_000_000
        bench.runtime.remove(container)

    def test_a_program_that_closes_its_output_is_waited_for(self, bench: Bench) -> None:
        ended, out, err = bench.run("echo last; exec >&- 2>&-; sleep 1; exit 6")
        assert (ended, out, err) == (Exit(code=6), "last\n", "")

    def test_what_a_program_left_running_ends_with_it(self, bench: Bench) -> None:
        ended, out, _ = bench.run("(sleep 600; echo late) & setsid sleep 600 & echo early; exit 0")
        assert (ended, out) == (Exit(code=0), "early\n")

    def test_a_program_that_ends_at_once(self, bench: Bench) -> None:
        for _ in range(5):
            container = bench.create(["echo", "short"])
            waiting, output = bench.following(container)
            bench.runtime.start(container)
            assert bench.ended(container) == Exit(code=0)
            waiting.join()
            assert output.stdout == b"short\n"
            bench.runtime.remove(container)

    @pytest.mark.parametrize("entrypoint", ["/no/such/program", "no-such-program", "/etc/passwd", "/tmp"])
    def test_an_entrypoint_that_cannot_be_run_fails_the_start(self, bench: Bench, entrypoint: str) -> None:
        image = bench.load("entry", {}, entrypoint=[entrypoint])
        container = bench.create(["train"], image=image.id)
        with pytest.raises(StartFailed, match=entrypoint):
            bench.runtime.start(container)
        assert [each.running for each in bench.runtime.find(bench.labels)] == [False]
        bench.runtime.remove(container)

    def test_a_program_without_its_interpreter_fails_and_is_named(self, bench: Bench) -> None:
        image = bench.load("interpreter", {"/bin/train": b"#!/opt/conda/bin/python\n"}, entrypoint=["/bin/train"])
        container = bench.create(["train"], image=image.id)
        try:
            bench.runtime.start(container)
            complaint = bench.output(container).stderr.decode()
            assert bench.ended(container).code not in (0, 137)
        except StartFailed as error:  # who looks before it starts
            complaint = str(error)
        assert "train" in complaint

    @pytest.mark.parametrize(
        ("user", "numbers"),
        [("", "0 0"), ("nobody", "65534 65534"), ("65534", "65534 65534"), ("7:9", "7 9"), ("nobody:root", "65534 0")],
    )
    def test_the_images_user_is_kept(self, bench: Bench, user: str, numbers: str) -> None:
        image = bench.load("user", {}, user=user)
        container = bench.create(["sh", "-c", "echo $(id -u) $(id -g); echo to stderr > /dev/stderr"], image=image.id)
        bench.runtime.start(container)
        assert bench.ended(container) == Exit(code=0)
        output = bench.output(container)
        assert (output.stdout.decode(), output.stderr.decode()) == (f"{numbers}\n", "to stderr\n")

    def test_a_user_that_the_image_does_not_know_fails_the_start(self, bench: Bench) -> None:
        image = bench.load("nouser", {}, user="sagemaker")
        container = bench.create(["true"], image=image.id)
        with pytest.raises(StartFailed, match="sagemaker"):
            bench.runtime.start(container)

    @pytest.mark.parametrize("user", ["", "1000"])
    def test_an_image_with_nothing_but_a_program(self, bench: Bench, user: str) -> None:
        files = {"/program/sh": busybox().read_bytes()}
        image = bench.load("bare", files, shell=False, entrypoint=["/program/sh"], user=user)
        mounts = ["/dev/null", "/proc/self/stat", "/etc/hosts"]
        container = bench.create(
            ["-c", f"echo $HOME; for f in {' '.join(mounts)}; do : < $f || exit 9; done"], image=image.id
        )
        bench.runtime.start(container)
        assert bench.ended(container) == Exit(code=0), bench.output(container)
        assert bench.output(container).stdout.decode() == "/\n"

    def test_an_image_without_any_command_is_refused(self, bench: Bench) -> None:
        with pytest.raises(RuntimeFailure, match=r"(?i)no (command|entrypoint)"):
            bench.runtime.start(bench.create([]))

    def test_the_images_healthcheck_is_not_run(self, bench: Bench) -> None:
        check = {"Test": ["CMD-SHELL", "touch /tmp/checked"], "Interval": 200_000_000}
        image = bench.load("health", {}, config={"Healthcheck": check})
        container = bench.create(["sh", "-c", "sleep 2; ls /tmp"], image=image.id)
        bench.runtime.start(container)
        assert bench.ended(container) == Exit(code=0)
        assert bench.output(container).stdout == b""

    def test_removal_while_it_runs_ends_who_waits(self, bench: Bench) -> None:
        container = bench.start("echo on; trap '' TERM; sleep 600")
        bench.await_output(container)
        with ThreadPoolExecutor(2) as threads:
            waits = threads.submit(bench.runtime.wait, container, 60)
            reads = threads.submit(bench.output, container)
            bench.runtime.remove(container)
            for each in (waits, reads):
                error = each.exception(60)
                assert error is None or isinstance(error, RuntimeFailure)
        assert bench.runtime.find(bench.labels) == []
        with pytest.raises(RuntimeFailure):
            bench.runtime.wait(container, 0)

    def test_removal_by_many_at_once(self, bench: Bench) -> None:
        container = bench.start("sleep 600")
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(bench.runtime.remove, container) for _ in range(4)]:
                done.result(60)
        assert bench.runtime.find(bench.labels) == []

    def test_many_threads_use_one_runtime(self, bench: Bench) -> None:
        with ThreadPoolExecutor(4) as threads:
            outputs = list(threads.map(lambda number: bench.run(f"echo {number}")[1], range(8)))
        assert outputs == [f"{number}\n" for number in range(8)]

    def test_a_second_start_starts_nothing(self, bench: Bench) -> None:
        container = bench.start("echo once; sleep 600")
        bench.await_output(container)
        with suppress(AlreadyStarted):
            bench.runtime.start(container)
        bench.runtime.stop(container, 0)
        assert bench.output(container).stdout == b"once\n"
