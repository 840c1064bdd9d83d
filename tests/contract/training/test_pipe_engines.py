"""Pipe mode on real engines: FIFOs below a bind mount, read in every way."""

from tests.contract.training.engine_platform import platform
from tests.contract.training.pipes import MEBIBYTE, TRUTH, numbered, pipe
from tests.contract.training.test_pipe import (
    test_a_program_in_c_reads_every_byte_of_two_epochs,
    test_a_program_that_opens_nothing_or_leaves_in_the_middle_completes,
    test_a_slow_reader_gets_all_and_opens_the_second_epoch_late,
    test_an_object_that_is_gone_fails_the_job_with_its_uri,
    test_as_many_epochs_as_the_program_opens_some_of_them_not_to_the_end,
    test_two_channels_at_once_line_by_line,
)
from tests.contract.training.test_pipe_hosts import test_shuffled_shards_are_dealt_anew_in_each_epoch
from tests.contract.training.test_pipe_restart import (
    test_killed_before_and_between_epochs_nothing_is_lost,
    test_killed_in_the_middle_a_program_that_still_runs_is_stopped,
)
from tests.contract.training.training_instance import Ground, TrainingInstance

__all__ = [
    "platform",
    "test_a_program_in_c_reads_every_byte_of_two_epochs",
    "test_a_program_that_opens_nothing_or_leaves_in_the_middle_completes",
    "test_a_slow_reader_gets_all_and_opens_the_second_epoch_late",
    "test_an_object_that_is_gone_fails_the_job_with_its_uri",
    "test_as_many_epochs_as_the_program_opens_some_of_them_not_to_the_end",
    "test_killed_before_and_between_epochs_nothing_is_lost",
    "test_killed_in_the_middle_a_program_that_still_runs_is_stopped",
    "test_shuffled_shards_are_dealt_anew_in_each_epoch",
    "test_two_channels_at_once_line_by_line",
]


def test_a_program_of_another_user_reads_too(ground: Ground) -> None:
    numbered(ground, 3, lambda number: b"x" * MEBIBYTE)
    program = """
        echo 'other:x:1234:1234::/:/bin/sh' >> /etc/passwd
        su other -c 'id -u; cmp /opt/ml/input/data/train_0 /opt/ml/input/data/truth/all && echo same'
    """
    instance = TrainingInstance(ground, program, channels=(TRUTH, pipe()))
    assert instance.run().ending == "Completed"
    assert instance.log() == ["1234", "same"]
