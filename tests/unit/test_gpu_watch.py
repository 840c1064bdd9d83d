"""What is told of GPUs: a shell script stands for NVIDIA's program, whose every mood it has to show."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.agent.gpu_watch import GpuWatch, utilization
from sagestone.domain.metric import MetricPoint

NAMES = ["GPUUtilization", "GPUMemoryUtilization"]
Watch = Callable[..., GpuWatch]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """A watch whose program is this shell script; it writes its number to `pid` and its arguments to `asked` first."""
    made: list[GpuWatch] = []
    program = tmp_path / "nvidia-smi"

    def make(script: str, gpus: Sequence[str] = ("GPU-a",), patience_seconds: float = 30.0) -> GpuWatch:
        program.write_text(f'#!/bin/sh\ncd {tmp_path}\necho $$ >> pid\necho "$@" >> asked\n{script}\n')
        program.chmod(0o755)
        made.append(GpuWatch(gpus, lambda: 7.0, str(program), patience_seconds))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_gpus_of_a_host_are_summed_in_percent(watch: Watch, tmp_path: Path) -> None:
    watched = watch(
        "printf 'GPU-c, 90, 1024, 4096\\nGPU-b, 1, 0, 9\\n GPU-a, 15, 4096, 4096\\n'", gpus=["GPU-a", "GPU-c"]
    )
    watched.ask()
    found = answer(watched)
    assert [(each.name, each.value, each.at) for each in found] == [(NAMES[0], 105.0, 7.0), (NAMES[1], 125.0, 7.0)]
    asked = (tmp_path / "asked").read_text()
    assert (
        asked
        == "--id=GPU-a,GPU-c --query-gpu=uuid,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits\n"
    )
    assert watched.answer() == ()


def test_nothing_is_asked_where_a_job_has_no_gpu(watch: Watch, tmp_path: Path) -> None:
    watched = watch("echo GPU-a, 1, 2, 3", gpus=())
    watched.ask()
    assert (watched.answer(), (tmp_path / "asked").exists()) == ((), False)


@pytest.mark.parametrize(
    "script",
    ["echo GPU-a, 5, 1, 2; exit 9", "kill -9 $$", "exit 0", "echo No devices were found", "head -c 1000 /dev/urandom"],
)
def test_what_fails_or_is_not_understood_is_no_metric_and_is_asked_again(
    watch: Watch, script: str, tmp_path: Path
) -> None:
    watched = watch(f"[ $(wc -l < asked) -gt 1 ] && echo GPU-a, 5, 1, 2 && exit 0\n{script}")
    watched.ask()
    await_end(tmp_path)
    assert watched.answer() == ()
    watched.ask()
    assert [each.value for each in answer(watched)] == [5.0, 50.0]


def test_a_missing_program_is_no_metric(tmp_path: Path) -> None:
    watched = GpuWatch(["GPU-a"], lambda: 7.0, str(tmp_path / "absent"))
    watched.ask()
    assert watched.answer() == ()
    watched.close()


@pytest.mark.parametrize("script", ["sleep 600", "yes GPU-a, 5, 1, 2", "trap '' TERM; sleep 600 & wait"])
def test_one_that_hangs_is_ended_and_asked_again(watch: Watch, script: str, tmp_path: Path) -> None:
    watched = watch(f"[ $(wc -l < asked) -gt 1 ] && echo GPU-a, 5, 1, 2 && exit 0\n{script}", patience_seconds=0.5)
    watched.ask()
    watched.ask()  # not a second one beside it
    await_end(tmp_path, watched)
    assert len((tmp_path / "asked").read_text().splitlines()) == 1
    watched.ask()
    assert [each.value for each in answer(watched)] == [5.0, 50.0]


def test_the_end_of_the_job_ends_an_open_question(watch: Watch, tmp_path: Path) -> None:
    watched = watch("sleep 600")
    watched.ask()
    number = pid(tmp_path)
    assert watched.answer() == ()
    watched.close()
    assert not Path(f"/proc/{number}").exists()


def test_what_it_leaves_behind_is_not_waited_for(watch: Watch) -> None:
    watched = watch("sleep 5 &\necho GPU-a, 5, 1, 2")  # holds the pipe open
    watched.ask()
    assert [each.value for each in answer(watched)] == [5.0, 50.0]


@pytest.mark.parametrize(
    ("text", "gpus", "told"),
    [
        ("GPU-a, 0, 0, 15360\n", "a", [0.0, 0.0]),
        ("GPU-a, [N/A], 10, 40\n", "a", [None, 25.0]),
        ("GPU-a, 50, [N/A], [N/A]\n", "a", [50.0, None]),
        ("GPU-a, 50, 10, 40\nGPU-b, [N/A], 10, 40\n", "ab", [None, 50.0]),
        ("GPU-a, 50, 10, 40\nGPU-b, 20, 10, 40\n", "b", [20.0, 25.0]),
        ("GPU-a, 50, 10, 40\n", "ab", [None, None]),  # one has fallen off
        ("GPU-b, 50, 10, 40\n", "a", [None, None]),
        ("GPU-a, 101, 41, 40\n", "a", [None, None]),
        ("GPU-a, -1, 1, 0\n", "a", [None, None]),
        ("GPU-a, 50 %, 10 MiB, 40 MiB\n", "a", [None, None]),
        ("GPU-a, [Unknown Error], ERR!, 40\n", "a", [None, None]),
        ("GPU-a, 50, 10\n", "a", [None, None]),
        ("", "a", [None, None]),
    ],
)
def test_only_what_all_gpus_tell_is_summed(text: str, gpus: str, told: list[float | None]) -> None:
    found = utilization(text, [f"GPU-{each}" for each in gpus])
    assert [found.get(name) for name in NAMES] == told


@given(st.lists(st.text("ab0159, [N/A]٣²", max_size=20)), st.sampled_from(["a", "ab"]))
def test_any_words_give_no_more_than_all_gpus_can(words: list[str], gpus: str) -> None:
    found = utilization("\n".join(words), gpus)
    assert all(0.0 <= value <= 100.0 * len(gpus) for value in found.values())


def answer(watched: GpuWatch) -> Sequence[MetricPoint]:
    deadline = time.monotonic() + 30
    while not (found := watched.answer()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def pid(directory: Path) -> int:
    """The number of the program's process, as soon as it has told it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if (directory / "asked").exists() and (text := (directory / "pid").read_text()):
            return int(text.splitlines()[0])
        time.sleep(0.01)
    raise AssertionError("the program has not begun")


def await_end(directory: Path, watched: GpuWatch | None = None) -> None:
    """Until the program's process has ended; while it is looked at, where there is a watch, which must tell nothing."""
    number, deadline = pid(directory), time.monotonic() + 30
    while running(number) and time.monotonic() < deadline:
        assert watched is None or watched.answer() == ()
        time.sleep(0.01)
    assert not running(number)
    assert watched is None or watched.answer() == ()


def running(number: int) -> bool:
    """Whether it runs: not gone, and not ended without having been looked at."""
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
