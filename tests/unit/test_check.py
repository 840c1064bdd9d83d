"""The wording, the paths and the corner cases of the request check."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sagestone.shapes.check import RequestCheck
from sagestone.shapes.java_text import LONGEST_VALUE
from sagestone.shapes.pattern import TooSlow, full_match
from sagestone.shapes.report import MOST_VIOLATIONS
from sagestone.shapes.service_model import ModelMissing, ServiceModel, load_service_model
from sagestone.shapes.violation import LONGEST_SUMMARY, WrongType, summary

SAGEMAKER = load_service_model("sagemaker")
CHECK = RequestCheck(SAGEMAKER)

ENTITY_NAME = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
TAG_PATTERN = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/abc"


def algorithm(**changed: Any) -> dict[str, Any]:
    channel = {"Name": "train", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]}
    training = {
        "TrainingImage": "image:1",
        "SupportedTrainingInstanceTypes": ["ml.m5.large"],
        "TrainingChannels": [channel],
    }
    return {"AlgorithmName": "abc", "TrainingSpecification": {**training, **changed.pop("training", {})}, **changed}


def texts(request: dict[str, Any], operation: str = "CreateAlgorithm") -> list[str]:
    return [violation.text for violation in CHECK.check(operation, request)[1]]


def test_a_valid_request_has_no_violation() -> None:
    assert CHECK.check("CreateAlgorithm", algorithm()) == (algorithm(), [])


def test_unknown_members_and_nulls_are_dropped() -> None:
    request = algorithm(AlgorithmDescription=None, Foreign={"a": 1}, training={"TrainingImageDigest": None, "x": 1})
    assert CHECK.check("CreateAlgorithm", request) == (algorithm(), [])


def test_all_violations_come_at_once_in_the_words_of_aws() -> None:
    request = algorithm(
        AlgorithmName="",
        AlgorithmDescription="x" * 1025,
        Tags=[{"Key": "a"}, {"Key": "€", "Value": "1"}],
        training={"TrainingImage": None, "TrainingChannels": [], "SupportedTrainingInstanceTypes": []},
    )
    assert summary(CHECK.check("CreateAlgorithm", request)[1]) == (
        "7 validation errors detected: "
        "Value '' at 'algorithmName' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1; "
        "Value '' at 'algorithmName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {ENTITY_NAME}; "
        "Value '[]' at 'trainingSpecification.trainingChannels' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1; "
        "Value null at 'trainingSpecification.trainingImage' failed to satisfy constraint: Member must not be null; "
        f"Value '{'x' * 1024}…' at 'algorithmDescription' failed to satisfy constraint: "
        "Member must have length less than or equal to 1024; "
        "Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null; "
        "Value '€' at 'tags.2.member.key' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {TAG_PATTERN}"
    )


def test_one_violation_is_told_in_the_singular() -> None:
    assert summary(CHECK.check("DescribeAlgorithm", {})[1]) == (
        "1 validation error detected: Value null at 'algorithmName' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_a_scalar_in_a_list_is_told_at_the_list_with_all_its_constraints() -> None:
    (text,) = texts(algorithm(training={"TrainingChannels": [
        {"Name": "train", "SupportedContentTypes": ["a", "b"], "SupportedInputModes": ["File", "Tape"]}
    ]}))  # fmt: skip
    assert text == (
        "Value '[File, Tape]' at 'trainingSpecification.trainingChannels.1.member.supportedInputModes' failed to "
        "satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
        "[Pipe, File, FastFile]]"
    )
    (text,) = texts({"ResourceArn": ARN, "TagKeys": ["ok", "", "k" * 129]}, "DeleteTags")
    assert text.endswith(
        "at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than "
        "or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression "
        f"pattern: {TAG_PATTERN}]"
    )


def test_maps_are_told_as_java_prints_them() -> None:
    definition = {"HyperParameters": {"depth": "x" * 2501}}
    request = algorithm(ValidationSpecification={"ValidationProfiles": [{"TrainingJobDefinition": definition}]})
    (violation,) = [each for each in CHECK.check("CreateAlgorithm", request)[1] if "hyperParam" in each.path]
    assert violation.path == "validationSpecification.validationProfiles.1.member.trainingJobDefinition.hyperParameters"
    assert violation.value.startswith("'{depth=xxx")
    assert violation.constraint == (
        "Map value must satisfy constraint: [Member must have length less than or equal to 2500, "
        "Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*]"
    )
    definition["HyperParameters"] = {"k" * 257: "1"}
    (violation,) = [each for each in CHECK.check("CreateAlgorithm", request)[1] if "hyperParam" in each.path]
    assert violation.constraint.startswith("Map keys must satisfy constraint: [Member must have length less than")
    definition["HyperParameters"] = {str(number): "True" for number in range(101)}
    (violation,) = [each for each in CHECK.check("CreateAlgorithm", request)[1] if "hyperParam" in each.path]
    assert violation.value.startswith("'{0=True, 1=True, ")
    assert violation.constraint == "Member must have length less than or equal to 100"


def test_structures_in_lists_print_like_java() -> None:
    (text,) = texts({"ResourceArn": ARN, "Tags": [{"Key": "a", "Value": "b"}] * 51}, "AddTags")
    assert text.startswith("Value '[Tag(key=a, value=b), Tag(key=a, value=b), ")
    assert text.endswith("…' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")


def test_a_null_among_scalars_or_structures_is_a_violation() -> None:
    (text,) = texts({"ResourceArn": ARN, "TagKeys": ["a", None]}, "DeleteTags")
    assert text.startswith("Value '[a, null]' at 'tagKeys'")
    assert text.endswith(", Member must not be null]")
    assert texts({"ResourceArn": ARN, "Tags": [None]}, "AddTags") == [
        "Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null"
    ]


@pytest.mark.parametrize(
    ("number", "opening", "ending"),
    [
        (0, "Value '0' at 'maxResults' failed", "value greater than or equal to 1"),
        (101, "Value '101' at 'maxResults' failed", "value less than or equal to 100"),
    ],
)  # fmt: skip
def test_numbers_have_bounds(number: int, opening: str, ending: str) -> None:
    assert texts({"MaxResults": number}, "ListAlgorithms") == [
        f"{opening} to satisfy constraint: Member must have {ending}"
    ]


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (1704164645, 1704164645.0),
        (1704164645.437, 1704164645.437),
        ("2024-01-02T03:04:05Z", 1704164645.0),
        ("2024-01-02T05:04:05.250+02:00", 1704164645.25),
        ("2024-01-02T03:04:05", 1704164645.0),
    ],
)
def test_times_become_epoch_seconds(sent: Any, seconds: float) -> None:
    assert CHECK.check("ListAlgorithms", {"CreationTimeAfter": sent}) == ({"CreationTimeAfter": seconds}, [])


def test_a_whole_number_may_be_written_as_a_fraction() -> None:
    clean, _ = CHECK.check("ListAlgorithms", {"MaxResults": 7.0})
    assert clean == {"MaxResults": 7}
    assert type(clean["MaxResults"]) is int


NUMBER = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber"


@pytest.mark.parametrize(
    ("operation", "request_", "text"),
    [
        ("CreateAlgorithm", [], "Start of list found where not expected"),
        ("CreateAlgorithm", "x", "Unexpected value type in payload: a structure is expected"),
        ("CreateAlgorithm", None, "Unexpected value type in payload: a structure is expected"),
        (
            "CreateAlgorithm",
            {"AlgorithmName": True},
            "class java.lang.Boolean can not be converted to an String (at 'algorithmName')",
        ),
        (
            "CreateAlgorithm",
            {"AlgorithmName": 1},
            f"{NUMBER} can not be converted to an String (at 'algorithmName')",
        ),
        (
            "CreateAlgorithm",
            {"TrainingSpecification": {"TrainingImage": {}}},
            "Start of structure or map found where not expected (at 'trainingSpecification.trainingImage')",
        ),
        ("CreateAlgorithm", {"Tags": [{"Key": []}]}, "Start of list found where not expected (at 'tags.1.member.key')"),
        (
            "CreateAlgorithm",
            {"CertifyForMarketplace": "true"},
            "class java.lang.String can not be converted to an Boolean (at 'certifyForMarketplace')",
        ),
        ("ListAlgorithms", {"MaxResults": 1.5}, f"{NUMBER} can not be converted to an Integer (at 'maxResults')"),
        ("ListAlgorithms", {"MaxResults": 2**31}, f"{NUMBER} can not be converted to an Integer (at 'maxResults')"),
        ("ListAlgorithms", {"MaxResults": 1e300}, f"{NUMBER} can not be converted to an Integer (at 'maxResults')"),
        (
            "ListAlgorithms",
            {"MaxResults": "1"},
            "class java.lang.String can not be converted to an Integer (at 'maxResults')",
        ),
        ("ListAlgorithms", {"CreationTimeAfter": 1e18}, f"{NUMBER} can not be converted to an Date (at 'cre"),
        ("ListAlgorithms", {"CreationTimeAfter": "now"}, "class java.lang.String can not be converted to an Date"),
        ("DeleteTags", {"TagKeys": [1]}, f"{NUMBER} can not be converted to an String (at 'tagKeys.1.member')"),
    ],
)  # fmt: skip
def test_a_json_value_of_the_wrong_type_is_refused(operation: str, request_: Any, text: str) -> None:
    with pytest.raises(WrongType) as refused:
        CHECK.check(operation, request_)
    assert str(refused.value).startswith(text)


def toy(**shapes: Any) -> RequestCheck:
    members = {"Value": {"shape": "Value"}}
    return RequestCheck(
        ServiceModel(
            service="toy", target_prefix="Toy", json_version="1.1",
            operations={"Do": type(SAGEMAKER.operations["AddTags"])(name="Do", input="Input", output=None)},
            shapes={"Input": {"type": "structure", "members": members}, **shapes},
        )
    )  # fmt: skip


def test_a_sensitive_value_is_never_shown() -> None:
    check = toy(Value={"type": "string", "max": 3, "sensitive": True})
    assert [each.text for each in check.check("Do", {"Value": "secret"})[1]] == [
        "Value at 'value' failed to satisfy constraint: Member must have length less than or equal to 3"
    ]


def test_a_shape_inside_itself_is_followed_as_deep_as_it_goes() -> None:
    check = toy(Value={"type": "list", "member": {"shape": "Value"}, "max": 1})
    assert check.check("Do", {"Value": [[[[]]]]}) == ({"Value": [[[[]]]]}, [])
    (violation,) = check.check("Do", {"Value": [[[[], []]]]})[1]
    assert (violation.path, violation.value) == ("value.1.member.1.member", "'[[], []]'")
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(WrongType, match="nested too deeply"):
        check.check("Do", {"Value": deep})


def test_hostile_requests_are_bounded() -> None:
    tags = [{"Key": "€" * 5000, "Value": "v"}] * 20000
    violations = CHECK.check("AddTags", {"ResourceArn": ARN, "Tags": tags})[1]
    assert len(violations) == MOST_VIOLATIONS
    assert max(len(violation.value) for violation in violations) <= LONGEST_VALUE + 3
    assert len(summary(violations)) < LONGEST_SUMMARY + 100


def test_a_value_that_exhausts_its_pattern_is_refused_after_a_short_while() -> None:
    pattern = "(a|aa)*[bc]"
    fits = full_match(pattern)
    with pytest.raises(TooSlow):
        fits("a" * 5000)
    check = toy(
        Value={"type": "list", "member": {"shape": "Inner"}},
        Inner={"type": "structure", "members": {"Text": {"shape": "Text"}}},
        Text={"type": "string", "pattern": pattern},
    )
    violations = check.check("Do", {"Value": [{"Text": "a" * 5000}] * 1000})[1]
    assert [violation.path for violation in violations] == ["value.1.member.text"]


@pytest.mark.parametrize(
    ("pattern", "fitting", "unfitting"),
    [
        (r"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*", ["", "Größe €5 日本語 🙂", "a b"], ["a\nb", "\t", "\x00"]),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", ["key/ä=1"], ["€", "a\n"]),
        (r".*", ["", "ä b\t"], ["a\nb", "a\r", "a\u2028", "\u0085"]),
        (r"[\S\s]*", ["", "a\nb\u2028"], []),
        (r"\d+\w\s", ["1_ ", "12a\t"], ["١_ ", "1ä ", "1a\u00a0"]),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", ["a\tb 🙂"], ["a\n"]),
        (r"arn:[\p{Alnum}\-]+:lambda:[\p{Alnum}\-]+:[0-9]{12}:function:.*",
         ["arn:aws:lambda:us-east-1:123456789012:function:f"], ["arn:äws:lambda:us-east-1:123456789012:function:f"]),
        (r"(?=.{1,32}$)[a-z.]+[.]\.", ["a..", "b..."], ["a.", "A.."]),
    ],
)  # fmt: skip
def test_patterns_mean_what_java_says(pattern: str, fitting: list[str], unfitting: list[str]) -> None:
    fits = full_match(pattern)
    assert [text for text in fitting if not fits(text)] == []
    assert [text for text in unfitting if fits(text)] == []


@pytest.mark.parametrize("service", ["sagemaker", "logs"])
def test_every_operation_of_the_model_compiles(service: str) -> None:
    model = load_service_model(service)
    check = RequestCheck(model)
    for operation in model.operations:
        check.check(operation, {})


def test_a_service_without_a_model_is_named() -> None:
    with pytest.raises(ModelMissing, match="no model of 'nosuch'"):
        load_service_model("nosuch")


def test_the_first_calls_may_come_all_at_once() -> None:
    request = {"AlgorithmName": "a", "TrainingSpecification": {}}
    for _ in range(20):
        fresh, together = RequestCheck(SAGEMAKER), threading.Barrier(8)

        def first(fresh: RequestCheck = fresh, together: threading.Barrier = together) -> int:
            together.wait()
            return len(fresh.check("CreateAlgorithm", request)[1])

        with ThreadPoolExecutor(8) as threads:
            assert len({each.result() for each in [threads.submit(first) for _ in range(8)]}) == 1
