"""Pipe mode with real containers: programs that read their FIFOs each in its own way."""

import subprocess
from pathlib import Path

from tests.contract.training.pipes import MEBIBYTE, TRUTH, numbered, pipe
from tests.contract.training.training_instance import Ground, TrainingInstance

#: Reads epochs 0 and 1 of channel train as fast as a program can, and says how many bytes and which.
READER = r"""
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
static unsigned char block[1 << 20];
int main(void) {
    for (int epoch = 0; epoch < 2; epoch++) {
        char path[64];
        snprintf(path, sizeof path, "/opt/ml/input/data/train_%d", epoch);
        int fifo = open(path, O_RDONLY);
        unsigned long long total = 0, sum = 0;
        ssize_t got;
        while ((got = read(fifo, block, sizeof block)) > 0) {
            for (ssize_t at = 0; at < got; at++) sum = sum * 31 + block[at];
            total += got;
        }
        close(fifo);
        printf("%d %llu %llu\n", epoch, total, sum);
    }
    return 0;
}
"""


def test_as_many_epochs_as_the_program_opens_some_of_them_not_to_the_end(ground: Ground) -> None:
    numbered(ground, 12, lambda number: f"{number}\n".encode() * (number * 20_000))
    program = """
        cd /opt/ml/input/data
        ls -l | grep -o 'prw-r--r--'; ls | grep train
        for epoch in 0 1 3 4; do
            cmp train_$epoch truth/all && echo same
            [ $epoch = 1 ] && head -c 4 train_2
        done
        ls | grep train
    """
    instance = TrainingInstance(ground, program, channels=(TRUTH, pipe()))
    assert instance.run().ending == "Completed"
    assert instance.log() == ["prw-r--r--", "train_0", "same", "same", "1", "1", "same", "same", "train_5"]
    assert not instance.left_behind()


def test_a_program_in_c_reads_every_byte_of_two_epochs(ground: Ground, tmp_path: Path) -> None:
    content = numbered(ground, 3, lambda number: bytes(range(256)) * 4096 * (number + 1))
    (tmp_path / "reader.c").write_text(READER)
    subprocess.run(["gcc", "-O2", "-static", "-o", tmp_path / "reader", tmp_path / "reader.c"], check=True)
    ground.put("tool/reader", (tmp_path / "reader").read_bytes())
    tool = pipe("tool", "tool/", input_mode="File")
    program = "cp /opt/ml/input/data/tool/reader /tmp/reader && chmod +x /tmp/reader && /tmp/reader"
    instance = TrainingInstance(ground, program, channels=(tool, pipe()))
    assert instance.run().ending == "Completed"
    total = 0
    for byte in content:
        total = (total * 31 + byte) % 2**64
    assert instance.log() == [f"{epoch} {len(content)} {total}" for epoch in (0, 1)]


def test_a_slow_reader_gets_all_and_opens_the_second_epoch_late(ground: Ground) -> None:
    numbered(ground, 4, lambda number: bytes([65 + number]) * (MEBIBYTE + number))
    program = """
        cd /opt/ml/input/data
        { for i in 1 2 3 4 5 6; do dd bs=65536 count=4 2>/dev/null; sleep 0.1; done; cat; } < train_0 | cmp - truth/all
        echo $?; sleep 1
        cmp train_1 truth/all; echo $?
    """
    instance = TrainingInstance(ground, program, channels=(TRUTH, pipe()))
    assert instance.run().ending == "Completed"
    assert instance.log() == ["0", "0"]


def test_a_program_that_opens_nothing_or_leaves_in_the_middle_completes(ground: Ground) -> None:
    numbered(ground, 8, lambda number: b"x" * MEBIBYTE)
    for name, program in (("never", "exit 0"), ("middle", "head -c 100000 /opt/ml/input/data/train_0 | wc -c")):
        instance = TrainingInstance(ground, program, name=name, channels=(pipe(),))
        assert instance.run().ending == "Completed"
        assert not instance.left_behind()


def test_a_program_that_dies_with_the_fifo_open_is_judged_by_its_exit_code(ground: Ground) -> None:
    numbered(ground, 8, lambda number: b"x" * MEBIBYTE)
    program = "exec 3< /opt/ml/input/data/train_0; head -c 10 <&3 > /dev/null; echo broken; exit 3"
    instance = TrainingInstance(ground, program, channels=(pipe(),))
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason == "AlgorithmError: broken, exit code: 3"


def test_a_stop_ends_a_program_that_waits_for_nobody(ground: Ground) -> None:
    numbered(ground, 8, lambda number: b"x" * MEBIBYTE)
    program = "exec 3< /opt/ml/input/data/train_0; trap 'exit 0' TERM; echo open; while :; do sleep 0.05; done"
    instance = TrainingInstance(ground, program, channels=(pipe(),)).start()
    instance.await_line("open")
    instance.stop()
    assert instance.outcome().ending == "Stopped"
    assert not instance.left_behind()


def test_two_channels_at_once_line_by_line(ground: Ground) -> None:
    for number in range(2000):
        ground.put(f"a/{number:04}", f"a{number}\n".encode())
    ground.put("b/all", b"".join(f"b{number}\n".encode() for number in range(2000)))
    program = """
        cd /opt/ml/input/data
        exec 3< a_0 4< b_0
        i=0
        while read -r x <&3 && read -r y <&4; do [ "$x $y" = "a$i b$i" ] || echo "$i: $x $y"; i=$((i+1)); done
        echo $i
    """
    instance = TrainingInstance(ground, program, channels=(pipe("a", "a/"), pipe("b", "b/")))
    assert instance.run().ending == "Completed"
    assert instance.log() == ["2000"]


def test_what_a_program_puts_in_the_way_is_its_own_fault(ground: Ground) -> None:
    ground.put("in/1", b"1")
    program = "cd /opt/ml/input/data; mkdir train_1; cat train_0 train_1; sleep 30"
    instance = TrainingInstance(ground, program, channels=(pipe(),))
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason == (
        "AlgorithmError: The program put something else at /opt/ml/input/data/train_1, where epoch 1 of channel train "
        "is to be read"
    )


def test_an_object_that_is_gone_fails_the_job_with_its_uri(ground: Ground) -> None:
    numbered(ground, 4, lambda number: b"x" * (2 * MEBIBYTE))
    program = """
        exec 3< /opt/ml/input/data/train_0; head -c 10 <&3; echo; echo begun
        until [ -e /opt/ml/input/go ]; do sleep 0.02; done
        cat <&3 | wc -c; echo all
    """
    instance = TrainingInstance(ground, program, channels=(pipe(),)).start()
    instance.await_line("begun")
    ground.remove("in/003")
    (instance.files.opt_ml / "input" / "go").touch()
    outcome = instance.outcome()
    assert outcome.failure is not None
    assert outcome.failure.fault == "client"
    assert "Channel train cannot be read on in epoch 0: s3://bucket/in/003" in outcome.failure.message
    assert instance.log() == ["xxxxxxxxxx", "begun"]  # what came was not taken for all there is
    assert not instance.left_behind()


def test_nothing_under_the_prefix_fails_before_training(ground: Ground) -> None:
    outcome = TrainingInstance(ground, "echo never", channels=(pipe(prefix="empty/"),)).run()
    assert outcome.failure is not None
    assert "No S3 objects found under S3 URL" in outcome.failure.message
