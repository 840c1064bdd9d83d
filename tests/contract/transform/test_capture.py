"""DataCaptureConfig through real agents: the manifests that are written, and the ids in the output."""

import json

from sagestone.domain.assignment import Host
from sagestone.domain.transform_job import DataCapture
from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance

HOUR = "2023/11/14/22"  # of the creation of the tests' jobs

REFUSES_BAD = """
    def answer(request):
        return Reply(400, b"bad") if request.body == b"bad" else b'{"output": 0}'
"""


def captured(ground: Ground, kind: str, host: str = "algo-1") -> list[object]:
    """A manifest; raises where there is none."""
    manifest: list[object] = json.loads(ground.get(f"captures/{kind}/{HOUR}/job-{host}.json"))
    return manifest


def test_manifests_name_what_was_transformed_on_each_instance(ground: Ground) -> None:
    for key in ("data/a.csv", "data/deep/b.csv", "data/c.csv", "data/d.csv"):
        ground.put(key, b"bad" if key == "data/c.csv" else b"x")
    capture = DataCapture(destination_uri="s3://bucket/captures")
    instances = [
        TransformInstance(
            ground, REFUSES_BAD, host=Host(number=number, count=2), s3_uri="s3://bucket/data", data_capture=capture
        ).start()
        for number in (1, 2)
    ]
    assert [instance.outcome().ending for instance in instances] == ["Completed", "Failed"]
    assert captured(ground, "input") == [{"prefix": "s3://bucket/"}, "data/a.csv", "data/d.csv"]
    assert captured(ground, "output") == [{"prefix": "s3://bucket/out/"}, "data/a.csv.out", "data/d.csv.out"]
    assert captured(ground, "input", "algo-2") == [{"prefix": "s3://bucket/"}, "data/deep/b.csv"]
    assert captured(ground, "output", "algo-2") == [{"prefix": "s3://bucket/out/"}, "data/deep/b.csv.out"]


def test_each_answer_gets_an_id_and_the_time_of_the_job(ground: Ground) -> None:
    ground.put("in/a", b"1\n2\n")
    instance = TransformInstance(
        ground,
        REFUSES_BAD,
        split_type="Line",
        batch_strategy="SingleRecord",
        accept="application/json",
        data_capture=DataCapture(destination_uri="s3://bucket/captures/", generate_inference_id=True),
    )
    instance.complete()
    shown = [json.loads(line) for line in ground.get("out/a.out").splitlines()]
    assert [(one["output"], one["SageMakerInferenceTime"]) for one in shown] == [(0, "2023-11-14T22:13:20Z")] * 2
    assert len({one["SageMakerInferenceId"] for one in shown}) == 2
    assert captured(ground, "input") == [{"prefix": "s3://bucket/in/"}, "a"]


def test_nothing_is_captured_where_nothing_was_transformed(ground: Ground) -> None:
    ground.put("in/a", b"bad")
    instance = TransformInstance(ground, REFUSES_BAD, data_capture=DataCapture(destination_uri="s3://bucket/captures"))
    assert instance.run().ending == "Failed"
    keys = ground.keys()
    assert [key for key in keys if key.startswith("captures")] == []


def test_no_bucket_for_captures_is_noticed_before_any_work(ground: Ground) -> None:
    ground.put("in/a", b"x")
    instance = TransformInstance(ground, REFUSES_BAD, data_capture=DataCapture(destination_uri="s3://elsewhere/c"))
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith(
        "ClientError: DataCaptureConfig.DestinationS3Uri s3://elsewhere/c cannot be written: "
    )
    assert instance.served() == []
