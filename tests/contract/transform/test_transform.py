"""One host of a transform job, carried out by the real agent process with a real serving container."""

import gzip
import json

import pytest

from sagestone.domain.assignment import Host
from sagestone.domain.image import ImageReference
from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance, model_archive


def test_a_job_turns_every_object_into_its_output(ground: Ground) -> None:
    ground.put("models/model.tar.gz", model_archive({"weights": b"0.5", "code/inference.py": b"pass"}))
    ground.put("in/a.csv", b"a,b\nc,d\n")
    ground.put("in/deep/b.csv", b"e,f")
    ground.put("in/", b"")
    ground.put("in/empty.csv", b"")
    program = """
        weights = open("/opt/ml/model/weights").read()
        def answer(request):
            return request.body.upper() + weights.encode()
        try:
            open("/opt/ml/model/new", "w")
        except OSError as error:
            print("read-only:", error.strerror)
    """
    instance = TransformInstance(
        ground, program, model_uri="s3://bucket/models/model.tar.gz", content_type="text/csv", accept="text/csv"
    )
    instance.complete()
    assert instance.outputs() == {"a.csv.out": b"A,B\nC,D\n0.5", "deep/b.csv.out": b"E,F0.5", "empty.csv.out": b""}
    assert instance.stages() == ["Starting", "Downloading", "Training", "Uploading"]
    assert "Transforming" in [event.message for event in instance.events()]
    assert [(one.size, one.content_type, one.accept) for one in instance.served()] == [
        (8, "text/csv", "text/csv"),
        (3, "text/csv", "text/csv"),
    ]
    assert "read-only: Read-only file system" in instance.log()
    assert instance.log(data=True) == ["MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"]
    assert instance.left_behind() == []


def test_the_environment_comes_in_the_order_of_its_weight(ground: Ground) -> None:
    ground.put("in/a", b"x")
    program = """
        import json
        def answer(request):
            return json.dumps({k: v for k, v in os.environ.items() if k.startswith(("SAGEMAKER", "MINE"))}).encode()
    """
    instance = TransformInstance(
        ground,
        container_environment={
            "PROGRAM": program.replace("\n        ", "\n"),
            "MINE": "model",
            "SAGEMAKER_BATCH": "no",
        },
        environment={"MINE": "job"},
        max_payload_mb=2,
        batch_strategy="SingleRecord",
        max_concurrent_transforms=3,
    )
    instance.complete()
    assert json.loads(ground.get("out/a.out")) == {
        "MINE": "job",
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "3",
    }


def test_a_variable_that_no_program_can_be_given_is_told(ground: Ground) -> None:
    ground.put("in/a", b"x")
    failure = TransformInstance(ground, environment={"MINE": "a\0b"}).run().failure
    assert failure is not None
    assert failure.reason.startswith("ClientError: The value of the variable MINE in Environment has the character NUL")


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_lines_are_split_and_assembled(ground: Ground, strategy: str) -> None:
    lines = [f"{number},{'x' * 700_000}\n".encode() for number in range(4)]
    ground.put("in/a.csv", b"".join(lines)[:-1])
    program = """
        def answer(request):
            return b";".join(line.split(b",")[0] for line in request.body.splitlines())
    """
    instance = TransformInstance(
        ground, program, split_type="Line", assemble_with="Line", batch_strategy=strategy, max_payload_mb=2
    )
    instance.complete()
    expected = b"0\n1\n2\n3\n" if strategy == "SingleRecord" else b"0;1\n2;3\n"
    assert ground.get("out/a.csv.out") == expected
    single = [len(line) for line in lines[:-1]] + [len(lines[-1]) - 1]
    multiple = [sum(single[:2]), sum(single[2:])]
    assert [one.size for one in instance.served()] == (single if strategy == "SingleRecord" else multiple)


def test_requests_are_concurrent_and_answers_in_order(ground: Ground) -> None:
    ground.put("in/a.csv", b"".join(b"%d\n" % number for number in range(200)))
    program = """
        def answer(request):
            wait_for_busy(8)
            time.sleep(0.001 * (request.number * 7 % 11))
            return request.body
    """
    instance = TransformInstance(
        ground, program, split_type="Line", batch_strategy="SingleRecord", max_concurrent_transforms=8
    )
    instance.complete()
    assert ground.get("out/a.csv.out") == ground.get("in/a.csv")
    assert max(one.at_once for one in instance.served()) == 8


def test_small_objects_are_transformed_concurrently_too(ground: Ground) -> None:
    for number in range(20):
        ground.put(f"in/{number:02}", b"object %d" % number)
    program = """
        def answer(request):
            wait_for_busy(5)
            return request.body
    """
    instance = TransformInstance(ground, program, max_concurrent_transforms=5)
    instance.complete()
    assert [ground.get(f"out/{number:02}.out") for number in range(20)] == [b"object %d" % n for n in range(20)]
    assert max(one.at_once for one in instance.served()) == 5


def test_the_container_says_what_the_request_leaves_open(ground: Ground) -> None:
    ground.put("in/a.csv", b"a\nb\nc\n")
    program = """
        import json
        def parameters():
            wanted = {"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 500}
            return Reply(200, json.dumps(wanted).encode())
    """
    instance = TransformInstance(ground, program, split_type="Line", max_concurrent_transforms=2)
    instance.complete()
    assert len(instance.served()) == 3
    assert instance.log(data=True) == [
        "MaxConcurrentTransforms=2, MaxPayloadInMB=6, BatchStrategy=SINGLE_RECORD",
        "/execution-parameters: MaxPayloadInMB=500 is ignored: expected a number from 0 to 100",
    ]


def test_gzip_is_undone_before_it_is_split(ground: Ground) -> None:
    ground.put("in/a.csv.gz", gzip.compress(b"a\nb\n") + gzip.compress(b"c\n"))
    ground.put("in/empty.gz", gzip.compress(b""))
    instance = TransformInstance(ground, compression="Gzip", split_type="Line")
    instance.complete()
    assert ground.get("out/a.csv.gz.out") == b"A\nB\nC\n"
    assert ground.get("out/empty.gz.out") == b""


def test_an_unlimited_payload_is_sent_in_chunks(ground: Ground) -> None:
    ground.put("in/a.csv", b"x" * 9_000_000)
    program = """
        def answer(request):
            return b"%d %s" % (len(request.body), request.handler.headers["Transfer-Encoding"].encode())
    """
    TransformInstance(ground, program, max_payload_mb=0).complete()
    assert ground.get("out/a.csv.out") == b"9000000 chunked"


def test_a_manifest_names_the_objects(ground: Ground) -> None:
    for key in ("data/x/1", "data/x/2", "data/y/3"):
        ground.put(key, key.encode())
    ground.put("manifest", json.dumps([{"prefix": "s3://bucket/data/"}, "y/3", "x/1", "y/3"]).encode())
    instance = TransformInstance(ground, s3_data_type="ManifestFile", s3_uri="s3://bucket/manifest")
    instance.complete()
    assert instance.outputs().keys() == {"x/1.out", "y/3.out"}


def test_instances_share_the_objects(ground: Ground) -> None:
    for number in range(5):
        ground.put(f"in/{number}", b"x")
    instances = [TransformInstance(ground, host=Host(number=number, count=3)) for number in (1, 2, 3)]
    for instance in instances:
        instance.start()
    assert [instance.outcome().ending for instance in instances] == ["Completed"] * 3
    assert list(instances[0].outputs()) == [f"{number}.out" for number in range(5)]


def test_an_instance_without_objects_stays_idle(ground: Ground) -> None:
    ground.put("in/only", b"x")
    instance = TransformInstance(ground, host=Host(number=2, count=2), image=ImageReference(uri="x", digest="sha256:0"))
    instance.complete()
    assert instance.stages() == ["Starting"]


def test_outputs_below_the_input_prefix_are_no_inputs(ground: Ground) -> None:
    ground.put("in/a", b"x")
    ground.put("in/b", b"y")
    TransformInstance(ground, output_uri="s3://bucket/in/").complete()
    assert ground.keys() == ["in/a", "in/a.out", "in/b", "in/b.out"]
