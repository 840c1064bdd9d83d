"""The query protocol: what botocore sends is understood, and what is answered botocore reads back."""

from typing import Any

import botocore.session
import pytest
from botocore.parsers import QueryParser
from botocore.serialize import QuerySerializer
from hypothesis import given
from hypothesis import strategies as st

from sagestone.shapes.service_model import load_service_model
from sagestone.shapes.violation import WrongType
from sagestone.wire.query import MOST_FIELDS, read_form, read_parameters, write_answer

MODELS = {name: load_service_model(name) for name in ("sts", "iam")}
BOTOCORE = {name: botocore.session.get_session().get_service_model(name) for name in MODELS}

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
roles = st.fixed_dictionaries(
    {"RoleArn": words, "RoleSessionName": words},
    optional={
        "DurationSeconds": st.integers(0, 10**6),
        "PolicyArns": st.lists(st.fixed_dictionaries({"arn": words}), max_size=12),
        "Tags": st.lists(st.fixed_dictionaries({"Key": words, "Value": words}), max_size=12),
        "TransitiveTagKeys": st.lists(words, max_size=12),
    },
)


def read(service: str, operation: str, fields: dict[str, Any]) -> dict[str, Any]:
    model = MODELS[service]
    return read_parameters(model, model.operations[operation], {key: str(value) for key, value in fields.items()})


@given(roles)
def test_what_botocore_writes_is_read(parameters: dict[str, Any]) -> None:
    operation = BOTOCORE["sts"].operation_model("AssumeRole")
    body = QuerySerializer().serialize_to_request(parameters, operation)["body"]
    assert body.pop("Action") == "AssumeRole"
    assert read("sts", "AssumeRole", body) == parameters


@given(words, words, st.booleans(), st.integers(0, 2**31))
def test_what_is_written_botocore_reads(name: str, description: str, truncated: bool, at: int) -> None:
    role = {
        "Path": "/", "RoleName": name, "RoleId": "AROA", "Arn": "arn", "CreateDate": float(at),
        "Description": description, "Tags": [{"Key": name, "Value": description}], "Unknown": 1,
    }  # fmt: skip
    shown = parsed("iam", "GetRole", {"Role": role})["Role"]
    assert (shown["RoleName"], shown["Description"], shown["Tags"]) == (name, description, role["Tags"])
    assert shown["CreateDate"].timestamp() == at
    assert "Unknown" not in shown
    results = [{"EvalActionName": "a", "EvalDecision": "allowed", "EvalDecisionDetails": {name: "allowed"}}]
    shown = parsed("iam", "SimulatePrincipalPolicy", {"EvaluationResults": results, "IsTruncated": truncated})
    assert (shown["EvaluationResults"], shown["IsTruncated"]) == (results, truncated)


def parsed(service: str, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    model = MODELS[service]
    body = write_answer(model, model.operations[operation], answer, "the-id")
    shape = BOTOCORE[service].operation_model(operation).output_shape
    found: dict[str, Any] = QueryParser().parse({"body": body, "headers": {}, "status_code": 200}, shape)
    assert found.pop("ResponseMetadata")["RequestId"] == "the-id"
    return found


def test_elements_come_by_their_numbers_and_unknown_fields_are_passed_over() -> None:
    fields = {"TransitiveTagKeys.member.10": "c", "TransitiveTagKeys.member.2": "b", "TransitiveTagKeys.member.x": "-"}
    assert read("sts", "AssumeRole", {**fields, "Colour": "red"}) == {"TransitiveTagKeys": ["b", "c"]}
    assert read("sts", "AssumeRole", {"TransitiveTagKeys": ""}) == {"TransitiveTagKeys": []}


@pytest.mark.parametrize(
    "body", [b"nonsense", b"\xff=1", b"&".join(b"a%d=1" % number for number in range(MOST_FIELDS + 1))]
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(WrongType, match="The body is not a form"):
        read_form(body)


def test_a_scalar_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(WrongType, match="'many' is no integer, which DurationSeconds is"):
        read("sts", "AssumeRole", {"DurationSeconds": "many"})
