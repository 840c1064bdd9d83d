"""FastFile channels on real engines: the tests of `test_fast_file` that depend on what an engine does."""

from tests.contract.training.engine_platform import platform
from tests.contract.training.test_fast_file import (
    ground,
    test_a_plain_user_in_the_container_reads_too,
    test_an_agent_that_dies_is_followed_by_another_one,
    test_each_of_two_hosts_sees_its_shard,
    test_files_are_there_and_cannot_be_changed,
    test_nothing_is_left_after_a_failure_or_a_stop,
    test_objects_may_go_while_the_program_reads_them,
    test_what_a_crash_of_agent_and_service_leaves_goes_with_the_job,
)

__all__ = [
    "ground",
    "platform",
    "test_a_plain_user_in_the_container_reads_too",
    "test_an_agent_that_dies_is_followed_by_another_one",
    "test_each_of_two_hosts_sees_its_shard",
    "test_files_are_there_and_cannot_be_changed",
    "test_nothing_is_left_after_a_failure_or_a_stop",
    "test_objects_may_go_while_the_program_reads_them",
    "test_what_a_crash_of_agent_and_service_leaves_goes_with_the_job",
]
