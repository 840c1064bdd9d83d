"""No member is silently ignored: the tables name all members of the service model, and refuse any other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.members.tables import TABLED, request_members
from sagestone.domain.rules.specification import specification_violations
from sagestone.operations.compatibility import compatibility_page
from sagestone.operations.members import MEMBERS
from sagestone.operations.table import QUICK, WAITING
from sagestone.shapes.own_model import OWN_MODEL
from sagestone.wire.call import Call, Caller
from sagestone.wire.errors import InvalidParameterException, ValidationException
from tests.unit.requests import JOB, changed
from tests.unit.served import MODELS, Served

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


def leaves(shape: Any, path: str) -> Iterator[str]:
    """The paths of all scalars and maps below a shape."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        yield from leaves(shape.member, path)
    else:
        yield path


@pytest.mark.parametrize("operation", TABLED)
def test_every_member_of_a_large_request_is_in_the_tables_and_nothing_else(operation: str) -> None:
    model = list(leaves(MODELS["sagemaker"].operation_model(operation).input_shape, ""))
    tables = [member.path for member in request_members(operation)]
    assert [leaf for leaf in model if not any(f"{leaf}.".startswith(f"{path}.") for path in tables)] == []
    assert [path for path in tables if not any(f"{leaf}.".startswith(f"{path}.") for leaf in model)] == []
    assert {member.treatment for member in request_members(operation)} <= {"honoured", "recorded", "refused"}


@pytest.mark.parametrize("operation", sorted({**QUICK, **WAITING}))
def test_every_member_of_the_other_operations_is_in_the_table(operation: tuple[str, str]) -> None:
    if operation[1] in TABLED:
        assert operation not in MEMBERS
        return
    if operation[0] == OWN_MODEL.service:
        assert set(MEMBERS[operation]) == set(OWN_MODEL.shapes[f"{operation[1]}Request"]["members"])
        return
    shape = MODELS[operation[0]].operation_model(operation[1]).input_shape
    assert set(MEMBERS[operation]) == set(shape.members)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("Colour", "colour"),
        ("TrainingSpecification.TrainingChannels.0.Colour", "trainingSpecification.trainingChannels.1.member.colour"),
        (
            f"{JOB}.StoppingCondition.Colour",
            "validationSpecification.validationProfiles.1.member.trainingJobDefinition.stoppingCondition.colour",
        ),
    ],
)
def test_a_member_of_a_newer_model_is_refused(path: str, shown: str) -> None:
    assert [each.text for each in specification_violations(changed((path, "red")))] == [
        f"Value 'red' at '{shown}' failed to satisfy constraint: Member is not supported yet: this version does not "
        "know what to do with it; leave it out"
    ]


@pytest.mark.parametrize(
    ("service", "operation", "refusal"),
    [
        ("sagemaker", "ListAlgorithms", ValidationException),
        ("logs", "GetLogEvents", InvalidParameterException),
    ],
)
def test_a_parameter_of_a_newer_model_is_refused(
    tmp_path: Path, service: str, operation: str, refusal: type[Exception]
) -> None:
    served = Served(tmp_path)
    caller = Caller(account="123456789012", access_key="KEY", region="us-east-1")
    call = Call(service=service, operation=operation, parameters={"Colour": "red"}, caller=caller, request_id="1")
    with pytest.raises(refusal, match=f"Colour of {operation} is not supported yet"):
        served.table[(service, operation)].function(call)
    served.store.close()


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text() == compatibility_page(), "run tools/make_compatibility.py"
