"""`explain`: the documents and the violations of a request, with nothing executed."""

from pathlib import Path

import orjson
import pytest

from sagestone.operations.own.explain import explain
from sagestone.settings import Settings
from tests.unit.requests import JOB, LEFT_OUT, TRANSFORM, changed
from tests.unit.served import check_answer


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_every_document_of_the_fall(settings: Settings) -> None:
    shown = explain(settings, changed((f"{JOB}.ResourceConfig.InstanceCount", 2)))
    assert shown["violations"] == []
    assert list(shown["documents"]) == [
        "algorithm, as DescribeAlgorithm answers",
        "training job, as DescribeTrainingJob answers",
        "training assignment of algo-1",
        "training assignment of algo-2",
        "model, as DescribeModel answers",
        "transform job, as DescribeTransformJob answers",
        "transform assignment of algo-1",
    ]
    check_answer("sagemaker", "DescribeTrainingJob", shown["documents"]["training job, as DescribeTrainingJob answers"])
    assignment = shown["documents"]["training assignment of algo-2"]
    assert assignment["host"] == {"number": 2, "count": 2}
    assert assignment["limits"]["memory_bytes"] == 8 * 1024**3
    orjson.dumps(shown)


def test_an_algorithm_without_validation_has_one_document(settings: Settings) -> None:
    shown = explain(settings, changed(("ValidationSpecification", LEFT_OUT)))
    assert list(shown["documents"]) == ["algorithm, as DescribeAlgorithm answers"]


def test_violations_of_the_model_and_of_the_rules(settings: Settings) -> None:
    bad_model = explain(settings, changed(("AlgorithmName", "-bad-"), (f"{JOB}.TrainingInputMode", "Tape")))
    assert bad_model["documents"] == {}
    assert len(bad_model["violations"]) == 2
    bad_rules = explain(settings, changed((f"{TRANSFORM}.MaxPayloadInMB", 101)))
    assert bad_rules["violations"] == [
        "Value '101' at 'validationSpecification.validationProfiles.1.member.transformJobDefinition.maxPayloadInMB' "
        "failed to satisfy constraint: Member must have value less than or equal to 100"
    ]
    assert len(explain(settings, {"AlgorithmName": {}})["violations"]) == 1


def test_members_that_nobody_knows_are_told(settings: Settings) -> None:
    request = changed() | {"TrainingSpecfication": {}}
    request["TrainingSpecification"]["TrainingChannels"][0]["Shuffle"] = True
    violations = explain(settings, request)["violations"]
    assert [text.partition(" is no member")[0] for text in violations] == [
        "'TrainingSpecification.TrainingChannels[0].Shuffle'",
        "'TrainingSpecfication'",
    ]


def test_nothing_is_left_behind(settings: Settings) -> None:
    explain(settings, changed())
    assert list(settings.home.iterdir()) == []
