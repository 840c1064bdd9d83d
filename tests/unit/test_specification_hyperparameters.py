"""Rules of the hyperparameters: of their declaration, and of the values of a profile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.hyperparameters import merged, number, objection
from tests.unit.requests import JOB, LEFT_OUT, TRAINING, texts

DECLARED = f"{TRAINING}.SupportedHyperParameters"
PLACE = "trainingSpecification.supportedHyperParameters"
VALUES = "validationSpecification.validationProfiles.1.member.trainingJobDefinition.hyperParameters"
FAILED = "failed to satisfy constraint"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            f"{DECLARED}.3.Name",
            "depth",
            f"Value 'depth' at '{PLACE}.4.member.name' {FAILED}: Member must be unique: "
            f"{PLACE}.1.member.name is the same hyperparameter name",
        ),
        (
            f"{DECLARED}.0.Range.IntegerParameterRangeSpecification.MinValue",
            "1.0",
            f"Value '1.0' at '{PLACE}.1.member.range.integerParameterRangeSpecification.minValue' {FAILED}: "
            "Member must be a whole number: it bounds a hyperparameter of type Integer",
        ),
        (
            f"{DECLARED}.1.Range.ContinuousParameterRangeSpecification.MaxValue",
            "NaN",
            f"Value 'NaN' at '{PLACE}.2.member.range.continuousParameterRangeSpecification.maxValue' {FAILED}: "
            "Member must be a finite decimal number: it bounds a hyperparameter of type Continuous",
        ),
        (
            f"{DECLARED}.0.Range.IntegerParameterRangeSpecification.MinValue",
            "11",
            f"Value '11' at '{PLACE}.1.member.range.integerParameterRangeSpecification.minValue' {FAILED}: "
            "Member must not be greater than MaxValue, which is 10",
        ),
        (
            f"{DECLARED}.3.Range",
            {"CategoricalParameterRangeSpecification": {"Values": ["a"]}},
            f"Value at '{PLACE}.4.member.range.categoricalParameterRangeSpecification' {FAILED}: "
            "Member must match the type of hyperparameter note: FreeText has no range",
        ),
        (
            f"{DECLARED}.2.Range",
            {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "2"}},
            f"Value at '{PLACE}.3.member.range.integerParameterRangeSpecification' {FAILED}: Member must match the "
            "type of hyperparameter criterion: the range of type Categorical is CategoricalParameterRangeSpecification",
        ),
        (
            f"{DECLARED}.0.DefaultValue",
            "11",
            f"Value '11' at '{PLACE}.1.member.defaultValue' {FAILED}: "
            "Member must lie in the range of hyperparameter depth: 1 to 10",
        ),
        (
            f"{DECLARED}.2.DefaultValue",
            "logloss",
            f"Value 'logloss' at '{PLACE}.3.member.defaultValue' {FAILED}: "
            "Member must be one of the values of hyperparameter criterion: [gini, entropy]",
        ),
        (
            f"{JOB}.HyperParameters.colour",
            "red",
            f"Value 'red' at '{VALUES}.colour.member' {FAILED}: "
            "Member must be a hyperparameter of the specification: [depth, rate, criterion, note]",
        ),
        (
            f"{JOB}.HyperParameters.rate",
            "1.5",
            f"Value '1.5' at '{VALUES}.rate.member' {FAILED}: "
            "Member must lie in the range of hyperparameter rate: 0.0 to 1.0",
        ),
        (
            f"{JOB}.HyperParameters.depth",
            "many",
            f"Value 'many' at '{VALUES}.depth.member' {FAILED}: "
            "Member must be a whole number: hyperparameter depth is of type Integer",
        ),
        (
            f"{JOB}.HyperParameters.rate",
            LEFT_OUT,
            f"Value null at '{VALUES}.rate.member' {FAILED}: "
            "Member must not be null: hyperparameter rate is required and has no default value",
        ),
    ],
)
def test_refused_with_its_own_message(path: str, value: object, expected: str) -> None:
    assert texts((path, value)) == [expected]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{DECLARED}.0.IsRequired", True),  # together with its default
        (f"{DECLARED}.0.Range", LEFT_OUT),
        (f"{DECLARED}.2.Range", LEFT_OUT),
        (f"{DECLARED}.0.Range", {}),
        (f"{DECLARED}.3.IsTunable", True),
        (f"{DECLARED}.1.Range.ContinuousParameterRangeSpecification.MaxValue", "1.7976931348623157e+308"),
        (f"{JOB}.HyperParameters.depth", "10"),
        (f"{JOB}.HyperParameters.note", ""),
        (f"{TRAINING}.SupportedHyperParameters", LEFT_OUT),  # nothing declared: nothing to check against
    ],
)
def test_accepted_as_the_service_accepts_it(path: str, value: object) -> None:
    assert texts((path, value)) == []


def test_a_default_stands_in_for_a_required_value() -> None:
    assert texts((f"{DECLARED}.1.DefaultValue", "0.1"), (f"{JOB}.HyperParameters", LEFT_OUT)) == []


@given(low=st.integers(), width=st.integers(min_value=0), value=st.integers())
def test_integer_bounds_are_inclusive(low: int, width: int, value: int) -> None:
    bounds = {"MinValue": str(low), "MaxValue": str(low + width)}
    specification = {"Name": "n", "Type": "Integer", "Range": {"IntegerParameterRangeSpecification": bounds}}
    assert (objection(specification, str(value)) is None) == (low <= value <= low + width)


def test_given_values_win_over_defaults() -> None:
    declared = [{"Name": "a", "DefaultValue": "1"}, {"Name": "b", "DefaultValue": ""}, {"Name": "c"}]
    assert merged(declared, {"a": "2"}) == {"a": "2", "b": ""}


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("Integer", "-12", -12),
        ("Integer", "1.0", None),
        ("Integer", "1_000", None),
        ("Integer", "９", None),
        ("Integer", "", None),
        ("Continuous", "1e-3", 0.001),
        ("Continuous", ".5", 0.5),
        ("Continuous", "-7", -7.0),
        ("Continuous", "1.7976931348623157e+308", 1.7976931348623157e308),
        ("Continuous", "1e999", None),
        ("Continuous", "nan", None),
        ("Continuous", "1,5", None),
    ],
)
def test_numbers_as_they_may_be_written(kind: str, text: str, expected: float | None) -> None:
    assert number(kind, text) == expected
