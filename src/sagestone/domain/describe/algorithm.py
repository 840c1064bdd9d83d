"""What DescribeAlgorithm answers: the stored request in the shape and with the fillings that the service is known for.

Filled in: the image digests, `false` for every boolean that the request left out, `KmsKeyId: ""`. Left out: an empty
Range, an empty VolumeKmsKeyId, and the six members that the service stores but does not give back. (Rules observed with
Terraform's acceptance tests against the service.)
"""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.describe.specification import (
    describe_inference,
    describe_transform_definition,
    filled,
    status_details,
    without_empty_key,
)

Members = Mapping[str, Any]


def describe_algorithm(algorithm: Algorithm) -> dict[str, Any]:
    """The DescribeAlgorithm answer; times are epoch seconds with milliseconds."""
    request = algorithm.request
    answer: dict[str, Any] = {"AlgorithmName": algorithm.name, "AlgorithmArn": algorithm.arn}
    if request.get("AlgorithmDescription") is not None:
        answer["AlgorithmDescription"] = request["AlgorithmDescription"]
    answer["CreationTime"] = round(algorithm.created_at, 3)
    answer["TrainingSpecification"] = _training(request["TrainingSpecification"], algorithm.training_image_digest)
    if request.get("InferenceSpecification") is not None:
        answer["InferenceSpecification"] = describe_inference(
            request["InferenceSpecification"], algorithm.container_image_digests
        )
    if request.get("ValidationSpecification") is not None:
        answer["ValidationSpecification"] = _validation(request["ValidationSpecification"])
    answer["AlgorithmStatus"] = algorithm.status
    answer["AlgorithmStatusDetails"] = status_details(algorithm.validation)
    answer["CertifyForMarketplace"] = bool(request.get("CertifyForMarketplace"))
    return answer


def _training(given: Members, digest: str) -> dict[str, Any]:
    shown = {
        "TrainingImage": given["TrainingImage"],
        **given,
        "TrainingImageDigest": digest,
        "SupportsDistributedTraining": bool(given.get("SupportsDistributedTraining")),
        "TrainingChannels": [filled(channel, "IsRequired") for channel in given["TrainingChannels"]],
    }
    if given.get("SupportedHyperParameters") is not None:
        shown["SupportedHyperParameters"] = [_hyperparameter(item) for item in given["SupportedHyperParameters"]]
    return shown


def _hyperparameter(given: Members) -> dict[str, Any]:
    shown = filled(given, "IsTunable", "IsRequired")
    if not shown.get("Range"):
        shown.pop("Range", None)
    return shown


def _validation(given: Members) -> dict[str, Any]:
    return {**given, "ValidationProfiles": [_profile(profile) for profile in given["ValidationProfiles"]]}


def _profile(given: Members) -> dict[str, Any]:
    shown = {**given, "TrainingJobDefinition": _training_definition(given["TrainingJobDefinition"])}
    if given.get("TransformJobDefinition") is not None:
        shown["TransformJobDefinition"] = describe_transform_definition(given["TransformJobDefinition"])
    return shown


def _training_definition(given: Members) -> dict[str, Any]:
    output = given["OutputDataConfig"]
    return {
        **given,
        "InputDataConfig": [_without(channel, "InputMode", "ShuffleConfig") for channel in given["InputDataConfig"]],
        "OutputDataConfig": {**_without(output, "CompressionType"), "KmsKeyId": output.get("KmsKeyId") or ""},
        "ResourceConfig": without_empty_key(_without(given["ResourceConfig"], "KeepAlivePeriodInSeconds")),
        "StoppingCondition": _without(given["StoppingCondition"], "MaxWaitTimeInSeconds", "MaxPendingTimeInSeconds"),
    }


def _without(given: Members, *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}
