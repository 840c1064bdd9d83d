"""Finds the jobs of an algorithm's validation through the API: Describe does not name them."""

from collections.abc import Mapping
from typing import Any

_SUFFIX = "00000000"


def validation_job(sagemaker: Any, algorithm: Mapping[str, Any]) -> str | None:
    """The name that both jobs of this validation have; None before the first exists, or where nothing is validated.

    `algorithm` is what DescribeAlgorithm answers. An algorithm that was deleted and registered anew has its new jobs
    only, and one whose name begins with this one's keeps its own.
    """
    profiles = (algorithm.get("ValidationSpecification") or {}).get("ValidationProfiles", ())
    if not profiles:
        return None
    from sagestone.domain.plan.algorithm import job_name

    prefix = job_name(algorithm["AlgorithmName"], profiles[0]["ProfileName"], _SUFFIX).removesuffix(_SUFFIX)
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=prefix, CreationTimeAfter=algorithm["CreationTime"], SortBy="CreationTime"
    )
    for page in pages:
        for row in page["TrainingJobSummaries"]:
            name = str(row["TrainingJobName"])
            if len(name) == len(prefix) + len(_SUFFIX) and name.startswith(prefix):
                described = sagemaker.describe_training_job(TrainingJobName=name)
                if described["AlgorithmSpecification"].get("AlgorithmName") == algorithm["AlgorithmArn"]:
                    return name
    return None
