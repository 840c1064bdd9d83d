"""Payloads of real users and clients: each is accepted or refused as tests/golden/payloads/README.md says."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from sagestone.domain.transition import begin_validation
from sagestone.wire.errors import ServiceError, ValidationException
from tests.unit.requests import DIGEST
from tests.unit.served import Served
from tests.unit.test_describe_algorithm import assert_within

PAYLOADS = Path(__file__).parents[1] / "golden" / "payloads"
ACCEPTED = [
    "create-floci-doc-minimal",
    "create-h2o-gbm",
    "create-terraform-basic",
    "create-terraform-inference",
    "create-terraform-training",
    "create-terraform-validation",
    "create-tfslim-image-classifier",
]
CERTIFIED = ["create-marketplace-decision-trees", "create-marketplace-decision-trees-legacy"]
DESCRIBED = sorted(file.stem for file in PAYLOADS.glob("sdk2-*.json"))
#: What DescribeAlgorithm is known not to give back.
KEPT_BACK = (
    "InputMode",
    "ShuffleConfig",
    "KeepAlivePeriodInSeconds",
    "MaxWaitTimeInSeconds",
    "MaxPendingTimeInSeconds",
    "VolumeKmsKeyId",
    "ValidationOutputS3Prefix",
    "ValidateForMarketplace",
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.store.close()


def read(name: str) -> Any:
    return orjson.loads((PAYLOADS / f"{name}.json").read_bytes())


def create(served: Served, request: dict[str, Any]) -> dict[str, Any]:
    """Create it with its images known to the runtime; what Describe says then."""
    served.images[request["TrainingSpecification"]["TrainingImage"]] = DIGEST
    for container in request.get("InferenceSpecification", {}).get("Containers", ()):
        served.images[container["Image"]] = DIGEST
    served.call("CreateAlgorithm", request)
    return served.sagemaker("DescribeAlgorithm", AlgorithmName=request["AlgorithmName"])


def shown_part(value: Any) -> Any:
    """The part of a request that Describe must give back."""
    if isinstance(value, dict):
        kept = {name: shown_part(each) for name, each in value.items() if name not in KEPT_BACK}
        if "S3OutputPath" in kept and kept.get("CompressionType") == "GZIP":
            del kept["CompressionType"]
        return kept
    return [shown_part(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted_and_given_back(served: Served, name: str) -> None:
    request = read(name)
    shown = create(served, request)
    assert_within(shown_part(request), shown)
    assert shown["AlgorithmStatus"] == ("Pending" if "ValidationSpecification" in request else "Completed")
    assert "ProductId" not in shown


@pytest.mark.parametrize("name", CERTIFIED)
def test_certification_is_refused_and_the_rest_accepted(served: Served, name: str) -> None:
    request = read(name)
    with pytest.raises(ValidationException) as refused:
        create(served, request)
    assert refused.value.message.startswith("1 validation error detected: Value 'true' at 'certifyForMarketplace' ")
    assert "not supported yet" in refused.value.message
    request["CertifyForMarketplace"] = False
    assert_within(shown_part(request), create(served, request))


def test_the_notebooks_template_is_refused_until_it_is_filled_in(served: Served) -> None:
    template = read("create-notebook-template-invalid")
    with pytest.raises(ValidationException) as refused:
        create(served, deepcopy(template))
    for place in ("'algorithmName'", "supportedHyperParameters.1.member.type", "supportedTrainingInstanceTypes"):
        assert place in refused.value.message
    filled = fill_in(template)
    with pytest.raises(ValidationException) as refused:
        create(served, deepcopy(filled))
    assert refused.value.message.startswith("1 validation error detected")
    assert "'trainingSpecification.additionalS3DataSource'" in refused.value.message
    del filled["TrainingSpecification"]["AdditionalS3DataSource"]
    assert_within(shown_part(filled), create(served, filled))


def fill_in(template: dict[str, Any]) -> dict[str, Any]:
    filled = deepcopy(template)
    filled |= {"AlgorithmName": "filled", "AlgorithmDescription": "filled", "CertifyForMarketplace": False}
    training, inference = filled["TrainingSpecification"], filled["InferenceSpecification"]
    training["TrainingImage"] = inference["Containers"][0]["Image"] = "image:1"
    for source in (training["AdditionalS3DataSource"], inference["Containers"][0]["AdditionalS3DataSource"]):
        source["S3Uri"] = "s3://bucket/weights.tar.gz"
    training["SupportedTrainingInstanceTypes"] = ["ml.m5.xlarge"]
    for parameter, name in zip(training["SupportedHyperParameters"], ("num_epochs", "b", "c"), strict=True):
        parameter |= {"Name": name, "Type": "FreeText"}
    training["TrainingChannels"][0]["Name"] = "training"
    inference["SupportedTransformInstanceTypes"] = ["ml.c5.xlarge"]
    inference["SupportedRealtimeInferenceInstanceTypes"] = ["ml.c5.xlarge"]
    validation = filled["ValidationSpecification"]
    validation["ValidationRole"] = "arn:aws:iam::123456789012:role/Validation"
    profile = validation["ValidationProfiles"][0]
    profile["ProfileName"] = "profile"
    definition = profile["TrainingJobDefinition"]
    definition["InputDataConfig"][0]["ChannelName"] = "training"
    definition["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://bucket/data"
    definition["OutputDataConfig"]["S3OutputPath"] = "s3://bucket/output"
    return filled


def test_the_toolkits_own_specification_is_refused_until_it_is_repaired(served: Served) -> None:
    request = read("create-xgboost-toolkit-raw")
    parameters = {item["Name"]: item for item in request["TrainingSpecification"]["SupportedHyperParameters"]}
    with pytest.raises(ValidationException, match="Member must have length less than or equal to 30"):
        create(served, deepcopy(request))
    del parameters["_tuning_objective_metric"]["Range"]["CategoricalParameterRangeSpecification"]["Values"][30:]
    with pytest.raises(ValidationException, match=r"Value '1\.0' at .*minValue' .* Member must be a whole number"):
        create(served, deepcopy(request))
    parameters["prob_buffer_row"]["Range"]["IntegerParameterRangeSpecification"]["MinValue"] = "1"
    shown = create(served, request)["TrainingSpecification"]
    assert len(shown["SupportedHyperParameters"]) == 53
    assert len(shown["MetricDefinitions"]) == 33
    # ranges of kinds that the service does not know are unknown members, and no empty Range is left of them
    assert all(item.get("Range") != {} for item in shown["SupportedHyperParameters"])


def test_a_model_package_for_the_marketplace_is_accepted_without_its_certification(served: Served) -> None:
    request = read("create-model-package-marketplace")
    served.images[request["InferenceSpecification"]["Containers"][0]["Image"]] = DIGEST
    with pytest.raises(ValidationException, match="certifyForMarketplace"):
        served.call("CreateModelPackage", request)
    del request["CertifyForMarketplace"]
    served.call("CreateModelPackage", request)
    shown = served.sagemaker("DescribeModelPackage", ModelPackageName=request["ModelPackageName"])
    assert_within(request["InferenceSpecification"], shown["InferenceSpecification"])
    assert_within(request["ValidationSpecification"], shown["ValidationSpecification"])


@pytest.mark.parametrize("name", DESCRIBED)
def test_algorithms_that_an_sdk_expects_can_be_made(served: Served, name: str) -> None:
    expected = read(name)
    request = {
        "AlgorithmName": expected["AlgorithmName"],
        "AlgorithmDescription": expected["AlgorithmDescription"],
        "TrainingSpecification": deepcopy(expected["TrainingSpecification"]),
    }
    for specification in (expected["TrainingSpecification"], request["TrainingSpecification"]):
        del specification["TrainingImageDigest"]
        if "-range" in name:  # these put a new range under an old default
            del specification["SupportedHyperParameters"][0]["DefaultValue"]
    shown = create(served, request)
    assert_within(expected["TrainingSpecification"], shown["TrainingSpecification"])
    assert set(expected["TrainingSpecification"]) <= set(shown["TrainingSpecification"])


def test_the_least_that_an_sdk_needs_is_in_every_answer(served: Served) -> None:
    shown = create(served, read("create-floci-doc-minimal"))
    least = read("describe-sdk2-pipeline-minimal")
    assert set(least["TrainingSpecification"]) - set(shown["TrainingSpecification"]) <= {"SupportedHyperParameters"}


def test_error_cases_of_real_clients(served: Served) -> None:
    request = read("create-terraform-validation")
    create(served, request)
    names = {"describe unknown": "unknown", "delete unknown": "unknown", "delete while validating": None}
    served.store.change_algorithm(request["AlgorithmName"], begin_validation)
    for case in read("errors"):
        if case["op"] is None:
            continue  # the client refuses by itself
        name = names[case["case"]] or request["AlgorithmName"]
        with pytest.raises(ServiceError) as refused:
            served.sagemaker(case["op"], AlgorithmName=name)
        assert refused.value.code == case["expect"]["Code"]
        assert case["expect"]["MessageContains"] in refused.value.message
