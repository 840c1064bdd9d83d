"""Search over what is described of training jobs, model packages and groups."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagestone.wire.errors import ValidationException
from tests.unit.job_requests import by_image
from tests.unit.served import Served

OAK, ELM = "s3://data/models/oak/output/model.tar.gz", "s3://data/models/elm/output/model.tar.gz"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    made.put("s3://data/train/a.csv")
    for number, (name, depth, team) in enumerate([("oak", "3", "forest"), ("elm", "10.5", "forest"), ("ash", "x", "")]):
        made.now = 1_700_000_000.0 + 60 * number
        changes = (("TrainingJobName", name), ("HyperParameters", {"max.depth": depth, "name": name}))
        made.call("CreateTrainingJob", {**by_image(*changes), **_tags(team)})
    yield made
    made.store.close()


def _tags(team: str) -> dict[str, Any]:
    return {"Tags": [{"Key": "team", "Value": team}]} if team else {}


def found(served: Served, *filters: tuple[str, str | None, str | None], **members: Any) -> list[str]:
    """Names of the jobs that satisfy the filters (name, operator, value)."""
    expression = {"Filters": [_filter(*each) for each in filters]} if filters else None
    given = {"SearchExpression": expression} if expression else {}
    answer = served.sagemaker("Search", **{"Resource": "TrainingJob", **given, **members})
    return [each["TrainingJob"]["TrainingJobName"] for each in answer["Results"]]


def _filter(name: str, operator: str | None, value: str | None) -> dict[str, str]:
    given = {"Name": name, "Operator": operator, "Value": value}
    return {member: each for member, each in given.items() if each is not None}


@pytest.mark.parametrize(
    ("name", "operator", "value", "names"),
    [
        ("ModelArtifacts.S3ModelArtifacts", "Equals", OAK, ["oak"]),
        ("ModelArtifacts.S3ModelArtifacts", None, ELM, ["elm"]),
        ("TrainingJobStatus", "NotEquals", "InProgress", []),
        ("TrainingJobName", "Contains", "a", ["ash", "oak"]),
        ("TrainingJobName", "In", "ash, elm", ["ash", "elm"]),
        ("Tags.team", "Equals", "forest", ["elm", "oak"]),
        ("Tags.team", "NotExists", None, ["ash"]),
        ("FailureReason", "Exists", None, []),
        ("HyperParameters.max.depth", "GreaterThan", "2.5", ["elm", "oak"]),
        ("HyperParameters.max.depth", "LessThanOrEqualTo", "10", ["elm", "oak"]),  # 10.5 counts as 10
        ("HyperParameters.max.depth", "LessThanOrEqualTo", "10.0", ["oak"]),
        ("HyperParameters.max.depth", "Equals", "3.0", ["oak"]),
        ("HyperParameters.max.depth", "Equals", "x", ["ash"]),
        ("ResourceConfig.InstanceCount", "GreaterThanOrEqualTo", "2", []),
        ("EnableNetworkIsolation", "Equals", "False", ["ash", "elm", "oak"]),
        ("CreationTime", "GreaterThan", "2023-11-14T22:13:30", ["ash", "elm"]),
        ("CreationTime", "LessThan", "2023-11-14T22:13:30Z", ["oak"]),
        ("InputDataConfig.DataSource.S3DataSource.S3DataType", "Equals", "S3Prefix", ["ash", "elm", "oak"]),
        ("Metrics.loss", "GreaterThan", "0", []),
    ],
)
def test_every_operator_on_every_kind_of_property(
    served: Served, name: str, operator: str | None, value: str | None, names: list[str]
) -> None:
    assert sorted(found(served, (name, operator, value))) == names


def test_conditions_are_combined(served: Served) -> None:
    both = {"Filters": [_filter("TrainingJobName", None, name) for name in ("oak", "elm")]}
    assert found(served, SearchExpression=both) == []
    assert found(served, SearchExpression={**both, "Operator": "Or"}) == ["elm", "oak"]
    inner = {"SubExpressions": [{**both, "Operator": "Or"}], "Filters": [_filter("HyperParameters.name", None, "oak")]}
    assert found(served, SearchExpression=inner) == ["oak"]


def test_nested_filters_look_at_one_element_of_a_list(served: Served) -> None:
    def nested(uri: str) -> list[str]:
        filters = [
            _filter("InputDataConfig.ChannelName", None, "train"),
            _filter("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", uri),
        ]
        of_list = {"NestedPropertyName": "InputDataConfig", "Filters": filters}
        return found(served, SearchExpression={"NestedFilters": [of_list]})

    assert nested("s3://data/train") == ["ash", "elm", "oak"]
    assert nested("s3://data/test") == []


def test_the_order_and_the_pages(served: Served) -> None:
    assert found(served) == ["ash", "elm", "oak"]  # changed last first
    assert found(served, SortOrder="Ascending") == ["oak", "elm", "ash"]
    assert found(served, SortBy="TrainingJobName", SortOrder="Ascending") == ["ash", "elm", "oak"]
    assert found(served, SortBy="Tags.team", SortOrder="Ascending") == ["oak", "elm", "ash"]  # without it: last
    first = served.sagemaker("Search", Resource="TrainingJob", MaxResults=2)
    assert (len(first["Results"]), first["TotalHits"]) == (2, {"Value": 3, "Relation": "EqualTo"})
    assert found(served, MaxResults=2, NextToken=first["NextToken"]) == ["oak"]
    with pytest.raises(ValidationException, match="Invalid pagination token"):
        found(served, SortOrder="Ascending", NextToken=first["NextToken"])


def test_a_record_is_what_is_described_and_its_tags(served: Served) -> None:
    (record,) = served.sagemaker(
        "Search", Resource="TrainingJob", SearchExpression={"Filters": [_filter("TrainingJobName", None, "oak")]}
    )["Results"]
    described = served.sagemaker("DescribeTrainingJob", TrainingJobName="oak")
    shown = record["TrainingJob"]
    assert shown["Tags"] == [{"Key": "team", "Value": "forest"}]
    assert {name: described[name] for name in shown if name != "Tags"} | {"Tags": shown["Tags"]} == shown


def test_packages_and_groups_are_found_and_of_the_rest_there_is_none(served: Served) -> None:
    for name in ("trees", "shrubs"):
        served.sagemaker("CreateModelPackageGroup", ModelPackageGroupName=name)
    served.sagemaker("CreateModelPackage", ModelPackageGroupName="trees", ModelApprovalStatus="Approved")
    trees = {"Filters": [_filter("ModelPackageGroupName", None, "trees")]}
    (group,) = served.sagemaker("Search", Resource="ModelPackageGroup", SearchExpression=trees)["Results"]
    assert group["ModelPackageGroup"]["ModelPackageGroupName"] == "trees"
    (package,) = served.sagemaker("Search", Resource="ModelPackage", SearchExpression=trees)["Results"]
    assert (package["ModelPackage"]["ModelPackageVersion"], package["ModelPackage"]["Tags"]) == (1, [])
    assert served.sagemaker("Search", Resource="ModelCard", SearchExpression=trees)["Results"] == []
    with pytest.raises(ValidationException, match="Search for Model is not supported yet: TrainingJob, ModelPackage, "):
        served.sagemaker("Search", Resource="Model")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ({}, "Member must have a filter, a nested filter or a subexpression"),
        (
            {"Filters": [{"Name": "Colour", "Value": "red"}]},
            "Unknown property name: Colour",
        ),
        ({"Filters": [{"Name": "TrainingJobName"}]}, "Member must not be null: Equals compares with it"),
        ({"Filters": [{"Name": "TrainingJobName", "Operator": "LessThan", "Value": "b"}]}, "not supported for text"),
        ({"Filters": [{"Name": "CreationTime", "Operator": "In", "Value": "2023-01-01"}]}, "for text properties only"),
        ({"Filters": [{"Name": "CreationTime", "Value": "today"}]}, "CreationTime is a time, and 'today' is none"),
        ({"Filters": [{"Name": "ResourceConfig.InstanceCount", "Value": "one"}]}, "is a number, and 'one' is none"),
        ({"Filters": [{"Name": "ResourceConfig", "Value": "one"}]}, "ResourceConfig is not one value"),
        ({"Filters": [{"Name": "RoleArn", "Operator": "Contains", "Value": "r"}] * 2}, "usage limit of 1 exceeded"),
        (
            {
                "NestedFilters": [
                    {"NestedPropertyName": "InputDataConfig", "Filters": [{"Name": "RoleArn", "Value": "r"}]}
                ]
            },
            "Member must begin with InputDataConfig. as the filters nested there do",
        ),
        (
            {"SubExpressions": [{"Filters": [{"Name": "RoleArn", "Value": "r"}] * 17}] * 3},
            "Member must have at most 50 conditions, not 54",
        ),
    ],
)
def test_what_no_search_can_be(served: Served, expression: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationException) as caught:
        served.sagemaker("Search", Resource="TrainingJob", SearchExpression=expression)
    assert told in caught.value.message


def test_what_is_of_other_accounts_is_refused(served: Served) -> None:
    for members in (
        {"CrossAccountFilterOption": "CrossAccount"},
        {"VisibilityConditions": [{"Key": "a", "Value": "b"}]},
    ):
        with pytest.raises(ValidationException, match="Search is of this account alone"):
            served.sagemaker("Search", Resource="TrainingJob", **members)
