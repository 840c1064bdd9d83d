"""What may follow what, as data, and the refusal of everything else. The diagram stands in `domain.transition`."""

from collections.abc import Mapping
from typing import Final

from sagestone.domain.algorithm import AlgorithmStatus, ItemStatus
from sagestone.domain.event import Ending, Stage
from sagestone.domain.training_job import EndedStatus, SecondaryStatus, TrainingJobStatus

#: Algorithms and model packages alike.
ALGORITHM_MOVES: Final[Mapping[AlgorithmStatus, frozenset[AlgorithmStatus]]] = {
    "Pending": frozenset({"InProgress"}),
    "InProgress": frozenset({"Completed", "Failed"}),
    "Completed": frozenset({"Deleting"}),
    "Failed": frozenset({"Deleting"}),
    "Deleting": frozenset(),
}

#: The item of ValidationStatuses goes with its algorithm; Deleting leaves it as it was.
ITEM_STATUS: Final[Mapping[AlgorithmStatus, ItemStatus]] = {
    "Pending": "NotStarted",
    "InProgress": "InProgress",
    "Completed": "Completed",
    "Failed": "Failed",
}

#: Training and transform jobs alike; only training jobs are ever deleted.
JOB_MOVES: Final[Mapping[TrainingJobStatus, frozenset[TrainingJobStatus]]] = {
    "InProgress": frozenset({"Stopping", "Completed", "Failed", "Stopped"}),
    "Stopping": frozenset({"Stopped", "Failed"}),
    "Completed": frozenset({"Deleting"}),
    "Failed": frozenset({"Deleting"}),
    "Stopped": frozenset({"Deleting"}),
    "Deleting": frozenset(),
}

#: How far a stage is; the stage of an instance and the secondary status of a job only ever grow.
STAGE_RANK: Final[Mapping[Stage, int]] = {"Starting": 0, "Downloading": 2, "Training": 3, "Uploading": 5}
SECONDARY_RANK: Final[Mapping[SecondaryStatus, int]] = {
    "Starting": 0,
    "Pending": 1,
    "Downloading": 2,
    "Training": 3,
    "Stopping": 4,
    "Uploading": 5,
    "Completed": 6,
    "Failed": 6,
    "Stopped": 6,
    "MaxRuntimeExceeded": 6,
    "MaxWaitTimeExceeded": 6,
    "Interrupted": 6,  # until the next run begins
}

#: Status of a job for the way it ended; the secondary status is the ending itself.
ENDED_STATUS: Final[Mapping[Ending, EndedStatus]] = {
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "Stopped",
    "MaxWaitTimeExceeded": "Stopped",
    "Interrupted": "Stopped",  # where there is no next run: the job was to stop anyhow
}

#: StatusMessage where an instance told none of its own.
TRAINING_MESSAGES: Final[Mapping[SecondaryStatus, str]] = {
    "Starting": "Starting the training job",
    "Pending": "Training job waiting for capacity",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job stopped because MaxRuntimeInSeconds was exceeded",
    "MaxWaitTimeExceeded": "Training job stopped because MaxWaitTimeInSeconds was exceeded",
    "Interrupted": "Training job interrupted",
}


class TransitionRefused(Exception):
    """A change that the diagram does not have; `status` is the one that refuses, the text names the resource."""

    def __init__(self, message: str, status: str) -> None:
        super().__init__(message)
        self.status = status


def check_algorithm_move(name: str, before: AlgorithmStatus, after: AlgorithmStatus) -> None:
    """Raises TransitionRefused where the table has no such move."""
    if after not in ALGORITHM_MOVES[before]:
        raise TransitionRefused(f"{name} cannot go from {before} to {after}", before)


def check_job_move(key: str, before: TrainingJobStatus, after: TrainingJobStatus) -> None:
    """Raises TransitionRefused where the table has no such move."""
    if after not in JOB_MOVES[before]:
        raise TransitionRefused(f"job {key} cannot go from {before} to {after}", before)
