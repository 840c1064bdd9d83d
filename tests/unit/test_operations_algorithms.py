"""The operations on algorithms, over a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.transition import begin_validation, complete_validation
from sagestone.wire.errors import ValidationException
from tests.unit.requests import DIGEST, LEFT_OUT, TRAINING, changed, full_request
from tests.unit.served import Served

ARN = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/trees"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.store.close()


def finish(served: Served, name: str = "trees") -> None:
    def validate(algorithm: Algorithm) -> Algorithm:
        return complete_validation(begin_validation(algorithm))

    served.store.change_algorithm(name, validate)


def test_create_answers_with_the_arn_and_tells_the_controller(served: Served) -> None:
    assert served.call("CreateAlgorithm", full_request()) == {"AlgorithmArn": ARN}
    assert served.hints == 1
    stored = served.store.algorithm("trees")
    assert stored is not None
    assert stored.plan is not None
    assert stored.plan.training.name == "trees-first-00000001"
    assert stored.plan.training.image.digest == DIGEST


@pytest.mark.parametrize("given", ["trees", ARN])
def test_describe_by_name_and_by_arn(served: Served, given: str) -> None:
    served.call("CreateAlgorithm", full_request())
    shown = served.sagemaker("DescribeAlgorithm", AlgorithmName=given)
    assert (shown["AlgorithmArn"], shown["AlgorithmStatus"]) == (ARN, "Pending")
    assert shown["TrainingSpecification"]["TrainingImageDigest"] == DIGEST


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("forest", "Algorithm arn:aws:sagemaker:us-east-1:123456789012:algorithm/forest does not exist."),
        (ARN[:-5] + "forest", "Algorithm arn:aws:sagemaker:us-east-1:123456789012:algorithm/forest does not exist."),
        (ARN.replace("us-east-1", "eu-west-1"), "ARN should be scoped to correct region: us-east-1"),
        (
            ARN.replace("123456789012", "210987654321"),
            "Algorithm arn:aws:sagemaker:us-east-1:123456789012:algorithm/"
            "arn:aws:sagemaker:us-east-1:210987654321:algorithm/trees does not exist.",
        ),
        (
            ARN.replace("algorithm/", "model-package/"),
            "Algorithm arn:aws:sagemaker:us-east-1:123456789012:algorithm/"
            "arn:aws:sagemaker:us-east-1:123456789012:model-package/trees does not exist.",
        ),
    ],
)
def test_describe_refuses_what_is_not_here(served: Served, given: str, message: str) -> None:
    served.call("CreateAlgorithm", full_request())
    with pytest.raises(ValidationException) as refused:
        served.sagemaker("DescribeAlgorithm", AlgorithmName=given)
    assert refused.value.message == message


def test_a_name_is_taken_once(served: Served) -> None:
    served.call("CreateAlgorithm", full_request())
    with pytest.raises(ValidationException) as refused:
        served.call("CreateAlgorithm", full_request())
    assert refused.value.message == f'Cannot create already existing algorithm "{ARN}".'


def test_create_gathers_every_violation_in_one_message(served: Served) -> None:
    request = changed(
        ("CertifyForMarketplace", True),
        (f"{TRAINING}.MetricDefinitions.0.Regex", "("),
    )
    with pytest.raises(ValidationException) as refused:
        served.call("CreateAlgorithm", request)
    assert refused.value.message.startswith("2 validation errors detected: Value '(' at ")
    assert served.store.algorithm("trees") is None


def test_images_that_do_not_exist_are_all_named(served: Served) -> None:
    request = changed((f"{TRAINING}.TrainingImage", "a:1"), ("InferenceSpecification.Containers.0.Image", "b:1"))
    with pytest.raises(ValidationException) as refused:
        served.call("CreateAlgorithm", request)
    assert "Requested image a:1 not found. Make it known" in refused.value.message
    assert "Requested image b:1 not found." in refused.value.message


def test_a_digest_that_is_given_must_be_the_images(served: Served) -> None:
    wrong = "sha256:" + "0" * 64
    serving = "InferenceSpecification.Containers.0"
    request = changed(
        (f"{TRAINING}.TrainingImageDigest", wrong), (f"{serving}.Image", "trees:1"), (f"{serving}.ImageDigest", wrong)
    )
    with pytest.raises(ValidationException) as refused:
        served.call("CreateAlgorithm", request)
    said = f"failed to satisfy constraint: Member must be the digest of image trees:1, which is {DIGEST}"
    assert refused.value.message == (
        f"2 validation errors detected: Value '{wrong}' at 'trainingSpecification.trainingImageDigest' {said}; "
        f"Value '{wrong}' at 'inferenceSpecification.containers.1.member.imageDigest' {said}"
    )
    served.call("CreateAlgorithm", changed((f"{TRAINING}.TrainingImageDigest", DIGEST.upper())))


def test_without_a_validation_there_is_no_plan(served: Served) -> None:
    served.call("CreateAlgorithm", changed(("ValidationSpecification", LEFT_OUT)))
    stored = served.store.algorithm("trees")
    assert stored is not None
    assert stored.plan is None
    shown = served.sagemaker("DescribeAlgorithm", AlgorithmName="trees")
    assert shown["AlgorithmStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}


def test_lists_go_page_by_page_with_filters_and_order(served: Served) -> None:
    for number, name in enumerate(("b-tree", "a-tree", "c-bush", "d-tree")):
        served.now = 1_700_000_000.0 + number
        served.call("CreateAlgorithm", full_request() | {"AlgorithmName": name})

    def names(**parameters: object) -> list[str]:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = served.sagemaker("ListAlgorithms", MaxResults=2, **parameters, **token)
            found += [row["AlgorithmName"] for row in page["AlgorithmSummaryList"]]
            if "NextToken" not in page:
                return found
            token = {"NextToken": page["NextToken"]}

    assert names() == ["b-tree", "a-tree", "c-bush", "d-tree"]
    assert names(NameContains="tree", SortBy="Name", SortOrder="Descending") == ["d-tree", "b-tree", "a-tree"]
    assert names(CreationTimeAfter=1_700_000_000.5, CreationTimeBefore=1_700_000_002.5) == ["a-tree", "c-bush"]
    with pytest.raises(ValidationException, match="Invalid pagination token"):
        served.sagemaker("ListAlgorithms", NextToken="made up")


def test_delete_waits_for_the_validation(served: Served) -> None:
    served.call("CreateAlgorithm", full_request())
    with pytest.raises(ValidationException, match=r"^Cannot delete Algorithm in Pending status$"):
        served.sagemaker("DeleteAlgorithm", AlgorithmName="trees")
    served.store.change_algorithm("trees", begin_validation)
    with pytest.raises(ValidationException, match=r"^Cannot delete Algorithm in InProgress status$"):
        served.sagemaker("DeleteAlgorithm", AlgorithmName="trees")
    served.store.change_algorithm("trees", complete_validation)
    assert served.sagemaker("DeleteAlgorithm", AlgorithmName="trees") == {}
    assert served.sagemaker("DescribeAlgorithm", AlgorithmName="trees")["AlgorithmStatus"] == "Deleting"
    assert served.hints == 2
    with pytest.raises(ValidationException, match=r"^Cannot delete Algorithm in Deleting status$"):
        served.sagemaker("DeleteAlgorithm", AlgorithmName="trees")


def test_delete_of_an_unknown_name(served: Served) -> None:
    with pytest.raises(ValidationException, match="algorithm/trees does not exist"):
        served.sagemaker("DeleteAlgorithm", AlgorithmName="trees")
