"""The training agent on real engines: the tests of the other modules that depend on what an engine does."""

from tests.contract.training.engine_platform import platform
from tests.contract.training.test_checkpoints import (
    test_a_second_job_goes_on_where_a_killed_one_stopped,
    test_an_agent_that_dies_is_followed_by_one_that_goes_on_keeping_checkpoints,
    test_any_path_will_do_and_the_container_is_told_where,
)
from tests.contract.training.test_file_systems import test_a_file_system_is_mounted_as_the_channel_asks
from tests.contract.training.test_groups import test_each_group_gets_its_channels_and_a_deal_among_its_hosts
from tests.contract.training.test_hosts import (
    test_the_first_host_that_fails_ends_the_others,
    test_two_hosts_meet_and_their_models_are_one_archive,
)
from tests.contract.training.test_restart import (
    test_a_container_that_vanished_fails_the_job_and_is_not_started_again,
    test_killed_at_some_moment_the_program_never_runs_twice,
    test_killed_while_training_and_started_again,
)
from tests.contract.training.test_tensorboard import test_events_are_there_while_training_runs_also_under_another_agent
from tests.contract.training.test_training import (
    test_a_flood_of_output_is_capped_and_still_measured,
    test_a_job_trains_on_its_data_and_leaves_its_model,
    test_a_line_without_end_and_a_line_without_limit,
    test_a_program_that_ignores_sigterm_is_killed,
    test_an_image_that_is_gone_fails_before_anything_is_downloaded,
    test_an_image_without_train_says_what_it_needs,
    test_memory_beyond_the_limit_is_told_with_the_limit,
)

__all__ = [
    "platform",
    "test_a_container_that_vanished_fails_the_job_and_is_not_started_again",
    "test_a_file_system_is_mounted_as_the_channel_asks",
    "test_a_flood_of_output_is_capped_and_still_measured",
    "test_a_job_trains_on_its_data_and_leaves_its_model",
    "test_a_line_without_end_and_a_line_without_limit",
    "test_a_program_that_ignores_sigterm_is_killed",
    "test_a_second_job_goes_on_where_a_killed_one_stopped",
    "test_an_agent_that_dies_is_followed_by_one_that_goes_on_keeping_checkpoints",
    "test_an_image_that_is_gone_fails_before_anything_is_downloaded",
    "test_an_image_without_train_says_what_it_needs",
    "test_any_path_will_do_and_the_container_is_told_where",
    "test_each_group_gets_its_channels_and_a_deal_among_its_hosts",
    "test_events_are_there_while_training_runs_also_under_another_agent",
    "test_killed_at_some_moment_the_program_never_runs_twice",
    "test_killed_while_training_and_started_again",
    "test_memory_beyond_the_limit_is_told_with_the_limit",
    "test_the_first_host_that_fails_ends_the_others",
    "test_two_hosts_meet_and_their_models_are_one_archive",
]
