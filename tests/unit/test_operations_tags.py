"""AddTags, ListTags and DeleteTags, over a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.domain.transition import new_training_job
from sagestone.wire.errors import ValidationException
from tests.unit.requests import full_request
from tests.unit.served import Served

ARN = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/trees"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    made.call("CreateAlgorithm", full_request() | {"Tags": [{"Key": "team", "Value": "a"}]})
    yield made
    made.store.close()


def test_tags_are_added_changed_listed_and_deleted(served: Served) -> None:
    added = served.sagemaker(
        "AddTags", ResourceArn=ARN, Tags=[{"Key": "stage", "Value": ""}, {"Key": "team", "Value": "b"}]
    )
    assert added == {"Tags": [{"Key": "team", "Value": "b"}, {"Key": "stage", "Value": ""}]}
    assert served.sagemaker("ListTags", ResourceArn=ARN) == added
    assert served.sagemaker("DeleteTags", ResourceArn=ARN, TagKeys=["team", "unknown"]) == {}
    assert served.sagemaker("ListTags", ResourceArn=ARN) == {"Tags": [{"Key": "stage", "Value": ""}]}


def test_tags_are_no_member_of_describe(served: Served) -> None:
    assert "Tags" not in served.sagemaker("DescribeAlgorithm", AlgorithmName="trees")


def test_at_most_fifty(served: Served) -> None:
    tags = [{"Key": str(number), "Value": ""} for number in range(50)]
    with pytest.raises(ValidationException, match=f"{ARN} would have more than 50 tags"):
        served.sagemaker("AddTags", ResourceArn=ARN, Tags=tags)
    assert len(served.sagemaker("AddTags", ResourceArn=ARN, Tags=tags[:49])["Tags"]) == 50


def test_jobs_have_tags_too(served: Served) -> None:
    algorithm = served.store.algorithm("trees")
    assert algorithm is not None
    assert algorithm.plan is not None
    served.store.add_job(new_training_job(algorithm.plan.training, served.now), {"a": "1"})
    shown = served.sagemaker("ListTags", ResourceArn=algorithm.plan.training.arn)
    assert shown == {"Tags": [{"Key": "a", "Value": "1"}]}


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (ARN + "x", f"Algorithm {ARN}x does not exist."),
        (ARN.replace("us-east-1", "eu-west-1"), "ARN should be scoped to correct region: us-east-1"),
        (
            ARN.replace("algorithm", "training-job"),
            f"Requested resource not found: {ARN.replace('algorithm', 'training-job')}",
        ),
    ],
)
def test_resources_that_are_not_here(served: Served, arn: str, message: str) -> None:
    for operation, more in (
        ("ListTags", {}),
        ("AddTags", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("DeleteTags", {"TagKeys": ["a"]}),
    ):
        with pytest.raises(ValidationException) as refused:
            served.call(operation, {"ResourceArn": arn, **more})
        assert refused.value.message == message


def test_bad_tags_and_tokens(served: Served) -> None:
    with pytest.raises(ValidationException, match=r"tags\.2\.member\.key"):
        served.sagemaker("AddTags", ResourceArn=ARN, Tags=[{"Key": "a", "Value": ""}, {"Key": "a", "Value": "1"}])
    with pytest.raises(ValidationException, match="Invalid pagination token"):
        served.sagemaker("ListTags", ResourceArn=ARN, NextToken="x")
