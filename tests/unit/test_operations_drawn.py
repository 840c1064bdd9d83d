"""Any request that the service model allows gets an answer of the right shape, or a refusal: never an accident."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagestone.operations.table import QUICK, WAITING
from sagestone.wire.errors import ServiceError
from tests.unit.model_requests import valid
from tests.unit.served import MODELS, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """What was drawn before stays, so that names are taken and found now and then."""
    made = Served(tmp_path_factory.mktemp("drawn"))
    made.images |= dict.fromkeys(("abc", "a", "File"), made.images["trees:1"])
    yield made
    made.store.close()


@pytest.mark.parametrize(("service", "operation"), sorted(each for each in {**QUICK, **WAITING} if each[0] in MODELS))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_allowed_request_is_answered_or_refused(
    served: Served, service: str, operation: str, data: st.DataObject
) -> None:
    shape = MODELS[service].operation_model(operation).input_shape
    request: dict[str, Any] = data.draw(valid(shape))
    refusal = ""
    try:
        answer = served.call(operation, request, service)  # which checks the answer's shape
    except ServiceError as error:
        answer, refusal = {}, error.message
    assert (answer == {}) or not refusal
