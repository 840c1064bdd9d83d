"""CreateAlgorithm begun on the loop: what it is begun for, and that it says what the whole operation says."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagestone.operations.algorithms.create_algorithm import begin_create_algorithm
from sagestone.wire.call import Call, Caller
from sagestone.wire.errors import ValidationException
from sagestone.wire.operation import Later
from tests.unit.requests import full_request
from tests.unit.served import DEPLOYMENT, Served

PATIENCE = 60
EXISTS = 'Cannot create already existing algorithm "arn:aws:sagemaker:us-east-1:123456789012:algorithm/trees".'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.store.close()


def begin(served: Served, request: Mapping[str, Any], *, at_hand: bool = True) -> Later | None:
    caller = Caller(account=DEPLOYMENT.account, access_key="KEY", region=DEPLOYMENT.region)
    call = Call(
        service="sagemaker", operation="CreateAlgorithm", parameters=request, caller=caller, request_id="1"
    )  # fmt: skip
    return begin_create_algorithm(replace(served.dependencies, images_at_hand=at_hand), call)


def answer_of(later: Later | None) -> Any:
    assert later is not None
    later.stored.exception(PATIENCE)
    return later.answer()


def test_it_is_stored_and_the_controller_told(served: Served) -> None:
    later = begin(served, full_request())
    assert answer_of(later) == {"AlgorithmArn": "arn:aws:sagemaker:us-east-1:123456789012:algorithm/trees"}
    assert served.hints == 1
    assert served.store.algorithm_document("trees") is not None


def test_a_taken_name_is_told_first_of_all_that_is_looked_up(served: Served) -> None:
    answer_of(begin(served, full_request()))
    with pytest.raises(ValidationException, match=EXISTS):
        answer_of(begin(served, full_request()))
    assert served.hints == 1
    served.images.clear()
    with pytest.raises(ValidationException, match=EXISTS):
        begin(served, full_request())


def test_what_breaks_a_rule_or_names_no_image_is_refused_at_once(served: Served) -> None:
    broken = full_request()
    broken["TrainingSpecification"]["MetricDefinitions"][0]["Regex"] = "no group"
    with pytest.raises(ValidationException, match="Member must have a group"):
        begin(served, broken)
    served.images.clear()
    with pytest.raises(ValidationException, match="Requested image trees:1 not found"):
        begin(served, full_request())
    assert served.store.algorithm_document("trees") is None


@pytest.mark.parametrize("expressions", [["(a){2,3}"], ["(" + "a" * 498 + ")"] * 3])
def test_expressions_that_may_take_long_to_compile_are_for_a_thread(served: Served, expressions: list[str]) -> None:
    request = full_request()
    request["TrainingSpecification"]["MetricDefinitions"] += [
        {"Name": f"m{number}", "Regex": text} for number, text in enumerate(expressions)
    ]
    assert begin(served, request) is None
    assert served.store.algorithm_document("trees") is None


def test_engines_and_mounts_are_for_a_thread(served: Served) -> None:
    assert begin(served, full_request(), at_hand=False) is None
    request = full_request()
    (profile,) = request["ValidationSpecification"]["ValidationProfiles"]
    source = {
        "FileSystemDataSource": {
            "FileSystemId": "fs-01234567890",
            "FileSystemAccessMode": "ro",
            "FileSystemType": "EFS",
            "DirectoryPath": "/data",
        }
    }
    profile["TrainingJobDefinition"]["InputDataConfig"][0]["DataSource"] = source
    assert begin(served, request) is None
    assert served.store.algorithm_document("trees") is None
