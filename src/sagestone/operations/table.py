"""The operation table: what is served, by the signing name of its service and its own name."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeVar

from sagestone.operations.algorithms.create_algorithm import begin_create_algorithm, create_algorithm
from sagestone.operations.algorithms.delete_algorithm import delete_algorithm
from sagestone.operations.algorithms.describe_algorithm import describe_algorithm
from sagestone.operations.algorithms.list_algorithms import list_algorithms
from sagestone.operations.authorize import authorize
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.identity import assume_role, get_caller_identity, get_role
from sagestone.operations.jobs.create_training_job import create_training_job
from sagestone.operations.jobs.create_transform_job import create_transform_job
from sagestone.operations.jobs.interrupt_training_job import interrupt_training_job
from sagestone.operations.jobs.training_jobs import (
    delete_training_job,
    describe_training_job,
    list_training_jobs,
    stop_training_job,
    update_training_job,
)
from sagestone.operations.jobs.transform_jobs import describe_transform_job, list_transform_jobs, stop_transform_job
from sagestone.operations.kms.table import KMS
from sagestone.operations.members import refuse_unknown_members
from sagestone.operations.models.create_model import create_model
from sagestone.operations.models.create_model_package import create_model_package
from sagestone.operations.models.model_package_groups import (
    create_model_package_group,
    delete_model_package_group,
    describe_model_package_group,
    list_model_package_groups,
)
from sagestone.operations.models.model_packages import (
    batch_describe_model_package,
    delete_model_package,
    describe_model_package,
    list_model_packages,
)
from sagestone.operations.models.models import delete_model, describe_model, list_models
from sagestone.operations.models.update_model_package import update_model_package
from sagestone.operations.monitoring.filter_log_events import filter_log_events
from sagestone.operations.monitoring.list_metrics import list_metrics
from sagestone.operations.monitoring.log_events import get_log_events
from sagestone.operations.monitoring.log_groups import describe_log_groups, describe_log_streams
from sagestone.operations.monitoring.metric_data import get_metric_data
from sagestone.operations.monitoring.metric_statistics import get_metric_statistics
from sagestone.operations.own.clean_home import clean_home
from sagestone.operations.own.drain_machine import drain_machine
from sagestone.operations.search import search
from sagestone.operations.simulate_policy import simulate_principal_policy
from sagestone.operations.tags import add_tags, delete_tags, list_tags
from sagestone.wire.call import Call
from sagestone.wire.operation import Answer, Later, Operation, OperationTable

Given = TypeVar("Given")
Function = Callable[[Dependencies, Call], Answer]

#: Operations that answer from memory within microseconds.
QUICK: Final[Mapping[tuple[str, str], Function]] = {
    ("sagemaker", "DescribeAlgorithm"): describe_algorithm,
    ("sagemaker", "ListAlgorithms"): list_algorithms,
    ("sagemaker", "ListTags"): list_tags,
    ("sagemaker", "DescribeModel"): describe_model,
    ("sagemaker", "ListModels"): list_models,
    ("sagemaker", "DescribeModelPackage"): describe_model_package,
    ("sagemaker", "BatchDescribeModelPackage"): batch_describe_model_package,
    ("sagemaker", "ListModelPackages"): list_model_packages,
    ("sagemaker", "DescribeModelPackageGroup"): describe_model_package_group,
    ("sagemaker", "ListModelPackageGroups"): list_model_package_groups,
    ("sagemaker", "DescribeTrainingJob"): describe_training_job,
    ("sagemaker", "ListTrainingJobs"): list_training_jobs,
    ("sagemaker", "DescribeTransformJob"): describe_transform_job,
    ("sagemaker", "ListTransformJobs"): list_transform_jobs,
}

#: Operations that wait for the disk or for the container runtime.
WAITING: Final[Mapping[tuple[str, str], Function]] = {
    ("sagemaker", "CreateAlgorithm"): create_algorithm,
    ("sagemaker", "DeleteAlgorithm"): delete_algorithm,
    ("sagemaker", "CreateModel"): create_model,
    ("sagemaker", "CreateTransformJob"): create_transform_job,
    ("sagemaker", "DeleteModel"): delete_model,
    ("sagemaker", "CreateModelPackage"): create_model_package,
    ("sagemaker", "UpdateModelPackage"): update_model_package,
    ("sagemaker", "DeleteModelPackage"): delete_model_package,
    ("sagemaker", "CreateModelPackageGroup"): create_model_package_group,
    ("sagemaker", "DeleteModelPackageGroup"): delete_model_package_group,
    ("sagemaker", "AddTags"): add_tags,
    ("sagemaker", "DeleteTags"): delete_tags,
    ("sagemaker", "CreateTrainingJob"): create_training_job,
    ("sagemaker", "StopTrainingJob"): stop_training_job,
    ("sagemaker", "DeleteTrainingJob"): delete_training_job,
    ("sagemaker", "UpdateTrainingJob"): update_training_job,
    ("sagemaker", "StopTransformJob"): stop_transform_job,
    ("sagemaker", "Search"): search,
    ("sagestone", "InterruptTrainingJob"): interrupt_training_job,
    ("sagestone", "DrainMachine"): drain_machine,
    ("sagestone", "CleanHome"): clean_home,
    ("logs", "DescribeLogGroups"): describe_log_groups,
    ("logs", "DescribeLogStreams"): describe_log_streams,
    ("logs", "GetLogEvents"): get_log_events,
    ("logs", "FilterLogEvents"): filter_log_events,
    ("monitoring", "GetMetricStatistics"): get_metric_statistics,
    ("monitoring", "GetMetricData"): get_metric_data,
    ("monitoring", "ListMetrics"): list_metrics,
    **KMS,
    ("sts", "GetCallerIdentity"): get_caller_identity,
    ("sts", "AssumeRole"): assume_role,
    ("iam", "GetRole"): get_role,
    ("iam", "SimulatePrincipalPolicy"): simulate_principal_policy,
}


#: Of those the ones that can be begun without a wait.
BEGUN: Final[Mapping[tuple[str, str], Callable[[Dependencies, Call], Later | None]]] = {
    ("sagemaker", "CreateAlgorithm"): begin_create_algorithm,
}


def operations(of_account: Callable[[str], Dependencies]) -> OperationTable:
    """Every operation that this service serves; the dependencies of a call are those of its caller's account."""
    quick = {name: Operation(function=partial(_serve, each, of_account), writes=False) for name, each in QUICK.items()}
    waiting = {
        name: Operation(
            function=partial(_serve, each, of_account),
            writes=True,
            begin=partial(_serve, BEGUN[name], of_account) if name in BEGUN else None,
        )
        for name, each in WAITING.items()
    }
    return quick | waiting


def _serve(
    function: Callable[[Dependencies, Call], Given], of_account: Callable[[str], Dependencies], call: Call
) -> Given:
    deps = of_account(call.caller.account)
    authorize(deps, call)
    refuse_unknown_members(call)
    return function(deps, call)
