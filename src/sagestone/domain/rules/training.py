"""Rules of what a training job is asked to do, against the algorithm's specification.

One set for the job of a validation profile (its TrainingJobDefinition) and for a CreateTrainingJob request.
"""

from collections.abc import Iterator

from sagestone.domain.place import Place
from sagestone.domain.rules.checkpoint import kept_directory_violations
from sagestone.domain.rules.profile_channels import job_channel_violations
from sagestone.domain.rules.profile_groups import group_name_violations
from sagestone.domain.rules.profile_resources import resource_violations, stopping_violations
from sagestone.domain.rules.specification_hyperparameters import value_violations
from sagestone.shapes.violation import Violation


def training_violations(training: Place, job: Place, default_mode: Place) -> Iterator[Violation]:
    """What the job would break; `training` is absent where an image stands for itself."""
    yield from value_violations(training, job.member("HyperParameters"))
    yield from job_channel_violations(training, job.member("InputDataConfig"), default_mode)
    yield from group_name_violations(job)
    yield from resource_violations(training, job.member("ResourceConfig"))
    yield from stopping_violations(job.member("StoppingCondition"))
    yield from kept_directory_violations(job)
