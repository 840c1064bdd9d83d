"""Requests drawn from the service model: valid ones are accepted, one broken constraint gives exactly its violation."""

from collections.abc import Iterator
from typing import Any

import botocore.validate
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagestone.shapes.check import RequestCheck
from sagestone.shapes.service_model import load_service_model
from sagestone.shapes.violation import WrongType
from tests.unit.model_requests import breaks, model_of, valid

MODELS = {service: model_of(service) for service in ("sagemaker", "logs")}
CHECKS = {service: RequestCheck(load_service_model(service)) for service in MODELS}

OPERATIONS = [
    ("sagemaker", "CreateAlgorithm"),
    ("sagemaker", "DescribeAlgorithm"),
    ("sagemaker", "ListAlgorithms"),
    ("sagemaker", "DeleteAlgorithm"),
    ("sagemaker", "AddTags"),
    ("sagemaker", "ListTags"),
    ("sagemaker", "DeleteTags"),
    ("sagemaker", "DescribeTrainingJob"),
    ("sagemaker", "ListTrainingJobs"),
    ("sagemaker", "StopTrainingJob"),
    ("sagemaker", "DescribeTransformJob"),
    ("sagemaker", "ListTransformJobs"),
    ("sagemaker", "StopTransformJob"),
    ("sagemaker", "CreateTransformJob"),
    ("sagemaker", "CreateModel"),
    ("sagemaker", "CreateModelPackage"),
    ("sagemaker", "UpdateModelPackage"),
    ("sagemaker", "ListModels"),
    ("logs", "DescribeLogStreams"),
    ("logs", "GetLogEvents"),
]

ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner))


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
class TestDrawnRequests:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_a_valid_request_comes_through_unchanged(self, service: str, operation: str, data: st.DataObject) -> None:
        shape = MODELS[service].operation_model(operation).input_shape
        request: dict[str, Any] = data.draw(valid(shape))
        assert not botocore.validate.ParamValidator().validate(request, shape).has_errors()
        clean, violations = CHECKS[service].check(operation, request)
        assert violations == []
        assert clean == request

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_one_broken_constraint_gives_exactly_its_violation(
        self, service: str, operation: str, data: st.DataObject
    ) -> None:
        shape = MODELS[service].operation_model(operation).input_shape
        request: dict[str, Any] = data.draw(valid(shape))
        ways = list(breaks(shape, request))
        if not ways:
            return
        broken = data.draw(st.sampled_from(ways))
        _, violations = CHECKS[service].check(operation, broken.request)
        assert [(violation.path, violation.constraint) for violation in violations] == broken.expected

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data(), foreign=JSON)
    def test_any_json_in_any_place_is_judged_without_a_crash(
        self, service: str, operation: str, data: st.DataObject, foreign: Any
    ) -> None:
        shape = MODELS[service].operation_model(operation).input_shape
        request: Any = data.draw(valid(shape))
        request = data.draw(st.sampled_from(list(_with(request, foreign))))
        try:
            clean, violations = CHECKS[service].check(operation, request)
        except WrongType:
            return
        assert all(violation.text for violation in violations)
        assert violations or CHECKS[service].check(operation, clean) == (clean, [])


def _with(value: Any, foreign: Any) -> Iterator[Any]:
    """The value with `foreign` in one of its places, for every place."""
    yield foreign
    if isinstance(value, dict):
        for key, item in value.items():
            for changed in _with(item, foreign):
                yield {**value, key: changed}
    if isinstance(value, list):
        for index, item in enumerate(value):
            for changed in _with(item, foreign):
                yield [*value[:index], changed, *value[index + 1 :]]
