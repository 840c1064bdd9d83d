"""Stops, agents that die, and much data: a transform job ends as it should, once, and stays small."""

from pathlib import Path

import pytest

from sagestone.s3.uri import S3Uri
from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance

MEGABYTE = 1024 * 1024

#: Holds back the object `wait` until the test lets it go: by a file beside the image's, which only a fresh one lacks.
HOLD = """
    def answer(request):
        if request.body.startswith(b"wait") and request.number < 5:
            time.sleep(600)
        return request.body.upper()
"""


def test_a_stop_ends_it_and_leaves_no_unfinished_output(ground: Ground) -> None:
    ground.put("in/a", b"first")
    ground.put("in/b", b"more\nwait\n")
    instance = TransformInstance(ground, HOLD, split_type="Line", batch_strategy="SingleRecord").start()
    instance.await_true(lambda: len(instance.served()) == 3, "the request that hangs")
    instance.stop()
    outcome = instance.outcome()
    assert (outcome.ending, outcome.failure) == ("Stopped", None)
    assert instance.outputs() == {"a.out": b"FIRST"}
    assert instance.left_behind() == []


def test_a_container_that_ignores_sigterm_is_killed(ground: Ground) -> None:
    ground.put("in/a", b"wait")
    ignoring = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    instance = TransformInstance(ground, grace=0.3, container_environment={"PROGRAM": ignoring + _flat(HOLD)}).start()
    instance.await_true(lambda: len(instance.served()) == 1, "the request that hangs")
    instance.stop()
    outcome = instance.outcome()
    assert (outcome.ending, outcome.exit_code) == ("Stopped", 137)
    assert instance.left_behind() == []


def test_a_stop_before_it_is_ready(ground: Ground) -> None:
    ground.put("in/a", b"x")
    instance = TransformInstance(ground, "def ping():\n    return 500\n", patience=600).start()
    instance.await_true(lambda: "Training" in instance.stages(), "the container")
    instance.stop()
    assert instance.outcome().ending == "Stopped"


def test_an_agent_that_dies_is_followed_by_one_that_goes_on(ground: Ground) -> None:
    ground.put("in/a", b"first")
    ground.put("in/b", b"wait")
    ground.put("in/c", b"third")
    instance = TransformInstance(ground, HOLD.replace("< 5", "< 4")).start()
    finished = instance.files.scratch / "finished.jsonl"  # object b may be served before it is noted that a is finished
    instance.await_true(lambda: finished.exists() and finished.read_bytes().count(b"\n") == 1, "object a")
    for served in (2, 3):  # object b hangs in the first two agents, and not for the third
        instance.await_true(lambda served=served: len(instance.served()) == served, "object b")  # type: ignore[misc]
        instance.kill()
        (container,) = ground.platform.runtime.find(instance.assignment.labels)
        assert container.running
        instance.start()
    assert instance.outcome().ending == "Completed"
    assert instance.outputs() == {"a.out": b"FIRST", "b.out": b"WAIT", "c.out": b"THIRD"}
    assert [one.size for one in instance.served()] == [5, 4, 4, 4, 5]  # object a once, by one container
    assert len([line for line in instance.log() if line.startswith("serving")]) == 1
    assert instance.stages() == ["Starting", "Downloading", "Training", "Uploading"]
    assert instance.left_behind() == []


def test_a_container_that_ended_without_an_agent_is_told(ground: Ground) -> None:
    ground.put("in/a", b"wait")
    instance = TransformInstance(ground, HOLD).start()
    instance.await_true(lambda: len(instance.served()) == 1, "the request")
    instance.kill()
    (container,) = ground.platform.runtime.find(instance.assignment.labels)
    ground.platform.runtime.stop(container.id, 10.0)
    outcome = instance.run()
    assert (outcome.ending, outcome.exit_code) == ("Failed", 0)
    assert instance.outputs() == {}
    assert instance.left_behind() == []


def test_a_second_agent_after_the_end_changes_nothing(ground: Ground) -> None:
    ground.put("in/a", b"x")
    instance = TransformInstance(ground)
    instance.complete()
    events = instance.events()
    instance.complete()
    assert instance.events() == events


@pytest.mark.parametrize(
    ("split_type", "max_payload_mb", "concurrent"), [("Line", 6, 4), ("Line", 100, 1), ("None", 0, 1)]
)
def test_memory_does_not_grow_with_the_object(
    ground: Ground, split_type: str, max_payload_mb: int, concurrent: int
) -> None:
    line = b"x" * 999 + b"\n"
    ground.put("in/large", line * (300 * MEGABYTE // len(line)))
    size = 300 * MEGABYTE // len(line) * len(line)
    program = """
        def answer(request):
            return request.body
        class Handler(Handler):
            def _body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers["Content-Length"]))
                size = 0
                while piece := int(self.rfile.readline(), 16):
                    self.rfile.read(piece + 2)
                    size += piece
                self.rfile.readline()
                return b"x" * 1000
    """
    instance = TransformInstance(
        ground,
        program,
        split_type=split_type,
        max_payload_mb=max_payload_mb,
        max_concurrent_transforms=concurrent,
    ).start()
    assert instance.process is not None
    status = Path(f"/proc/{instance.process.pid}/status")
    peaks = [0]

    def ended() -> bool:
        try:
            text = status.read_text()
        except OSError:
            return True
        peaks.extend(int(row.split()[1]) for row in text.splitlines() if row.startswith("VmHWM:"))
        return any(event.outcome for event in instance.events())

    instance.await_true(ended, "the end of the large object")
    assert instance.outcome().ending == "Completed"
    (info,) = ground.s3.list(S3Uri("bucket", "out/large.out"))
    assert info.size == (1000 if max_payload_mb == 0 else size)
    assert peaks[-1] / 1024 < 200
    assert peaks[-1] > 0


def _flat(program: str) -> str:
    return program.replace("\n    ", "\n")
