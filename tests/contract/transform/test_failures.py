"""What may go wrong in a transform job, and the sentence that tells it."""

import pytest

from sagestone.domain.assignment import Limits
from sagestone.domain.failure import Failure
from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance, model_archive, told_with_patience

PING = (
    "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and "
    "responds with an HTTP 200 status code: "
)
SEE_LOGS = ". See job logs for more information"


def reason(instance: TransformInstance) -> str:
    """The FailureReason of a job that has to fail; nothing is left behind."""
    outcome = instance.run()
    assert outcome.ending == "Failed"
    assert isinstance(outcome.failure, Failure)
    assert instance.left_behind() == []
    return outcome.failure.reason


def test_a_refused_object_fails_the_job_and_the_others_go_on(ground: Ground) -> None:
    ground.put("in/a.csv", b"fine")
    ground.put("in/b.json", b"{}\nx\ny\n")
    ground.put("in/c.csv", b"fine too")
    program = """
        def answer(request):
            if request.body.startswith(b"{"):
                return Reply(415, b"This predictor only supports CSV data\\n")
            return b"good"
    """
    instance = TransformInstance(ground, program, split_type="Line")
    assert reason(instance) == (
        "ClientError: s3://bucket/in/b.json, records 1-3: the container answered HTTP 415 Unsupported Media Type: "
        '"This predictor only supports CSV data". 1 of 3 objects failed' + SEE_LOGS
    )
    assert instance.outputs() == {"a.csv.out": b"good", "c.csv.out": b"good"}
    assert instance.log(data=True)[1:] == [
        "bucket/in/b.json: ClientError: 415",
        "bucket/in/b.json: ",
        "bucket/in/b.json: Message:",
        "bucket/in/b.json: This predictor only supports CSV data",
    ]
    assert len(instance.served()) == 3


def test_an_output_whose_key_would_be_too_long_fails_its_object_alone(ground: Ground) -> None:
    ground.put("in/a.csv", b"fine")
    ground.put(f"in/{'k' * 1019}", b"never sent")
    ground.put("in/z.csv", b"fine too")
    instance = TransformInstance(ground, "def answer(request): return b'good'", split_type="Line")
    told = reason(instance)
    assert told.startswith("ClientError: s3://bucket/in/kkk")
    assert "…kkk" in told
    assert told.endswith(
        ": the key of its output would have 1027 bytes, and S3 takes at most 1024: give a shorter S3OutputPath, or the "
        "object a shorter name. 1 of 3 objects failed" + SEE_LOGS
    )
    assert instance.outputs() == {"a.csv.out": b"good", "z.csv.out": b"good"}


def test_one_bad_record_leaves_no_output_of_its_object(ground: Ground) -> None:
    ground.put("in/a.csv", b"".join(b"%d\n" % number for number in range(50)))
    program = """
        def answer(request):
            return Reply(413, b"<html><head><title>413</title></head><body><h1>413 Too Large</h1></body></html>",
                         "text/html") if request.body == b"30\\n" else request.body
    """
    instance = TransformInstance(
        ground, program, split_type="Line", batch_strategy="SingleRecord", max_concurrent_transforms=4
    )
    assert reason(instance) == (
        "ClientError: s3://bucket/in/a.csv, record 31: the container answered HTTP 413 Request Entity Too Large: "
        '"413 Too Large"' + SEE_LOGS
    )
    assert instance.outputs() == {}
    assert len(instance.served()) < 50


def test_a_server_error_is_repeated_and_then_told_with_the_end_of_its_traceback(ground: Ground) -> None:
    ground.put("in/a.csv", b"x")
    program = """
        def answer(request):
            return Reply(500, b"Traceback (most recent call last):\\n  File x\\nValueError: feature 7 is missing\\n")
    """
    instance = TransformInstance(ground, program, invocations_max_retries=1)
    assert reason(instance) == (
        "AlgorithmError: s3://bucket/in/a.csv: the container answered HTTP 500 Internal Server Error: "
        '"ValueError: feature 7 is missing" (after 2 attempts)' + SEE_LOGS
    )
    assert len(instance.served()) == 2
    assert "bucket/in/a.csv: Bad HTTP status received from algorithm: 500" in instance.log(data=True)


def test_what_passes_is_no_failure(ground: Ground) -> None:
    ground.put("in/a.csv", b"x")
    ground.put("in/b.csv", b"y")
    program = """
        def answer(request):
            return Reply(503) if request.number in (1, 2, 4) else request.body
    """
    instance = TransformInstance(ground, program)
    instance.complete()
    assert instance.outputs() == {"a.csv.out": b"x", "b.csv.out": b"y"}


def test_connections_that_are_closed_after_each_answer_do_no_harm(ground: Ground) -> None:
    ground.put("in/a.csv", b"a\nb\nc\n")
    program = """
        def answer(request):
            return Reply(200, request.body, close=True)
    """
    instance = TransformInstance(
        ground, program, split_type="Line", batch_strategy="SingleRecord", invocations_max_retries=0
    )
    instance.complete()
    assert instance.outputs() == {"a.csv.out": b"a\nb\nc\n"}


def test_an_answer_of_the_wrong_length_is_no_answer(ground: Ground) -> None:
    ground.put("in/a.csv", b"abc")
    program = """
        def answer(request):
            return Reply(200, b"abc", length=10, close=True)
    """
    instance = TransformInstance(ground, program, invocations_max_retries=0)
    assert reason(instance) == (
        "AlgorithmError: s3://bucket/in/a.csv: the answer ended 7 bytes before its Content-Length" + SEE_LOGS
    )
    assert "bucket/in/a.csv: Unable to get response from algorithm" in instance.log(data=True)


def test_an_answer_that_does_not_come_is_given_up(ground: Ground) -> None:
    ground.put("in/a.csv", b"abc")
    program = """
        def answer(request):
            time.sleep(60)
    """
    instance = TransformInstance(ground, program, invocations_timeout_seconds=1, invocations_max_retries=1)
    assert reason(instance) == (
        "AlgorithmError: s3://bucket/in/a.csv: no answer within 1 seconds (after 2 attempts)" + SEE_LOGS
    )


def test_a_container_that_dies_in_the_middle_is_noticed_at_once(ground: Ground) -> None:
    ground.put("in/a.csv", b"abc")
    ground.put("in/b.csv", b"die")
    ground.put("in/c.csv", b"abc")
    program = """
        def answer(request):
            if request.body == b"die":
                sys.stderr.write("segmentation fault in the model\\n")
                sys.stderr.flush()
                os._exit(3)
            return request.body
    """
    instance = TransformInstance(ground, program)
    assert reason(instance) == (
        "AlgorithmError: The container ended with exit code 3 while it had to answer for s3://bucket/in/b.csv. "
        "Its last log line: segmentation fault in the model" + SEE_LOGS
    )
    assert instance.outputs() == {"a.csv.out": b"abc"}
    outcome = instance.events()[-1].outcome
    assert outcome is not None
    assert outcome.exit_code == 3


def test_a_container_that_fills_the_disk_is_ended(ground: Ground) -> None:
    ground.put("in/a.csv", b"abc")
    program = """
        def answer(request):
            with open("/tmp/big", "wb") as file:
                file.write(bytes(8 << 20))
            time.sleep(60)
    """
    why = reason(TransformInstance(ground, program, limits=Limits(outside_bytes=4 << 20)))
    assert why.startswith("ClientError: Insufficient disk space: ")
    assert " in the container outside /opt/ml, where 4.0 MiB may be." in why


def test_a_container_that_is_never_ready(ground: Ground) -> None:
    ground.put("in/a.csv", b"abc")
    program = """
        sys.stdout.write("loading the model\\n")
        def ping():
            return 503
    """
    why, patience = told_with_patience(ground, "HTTP 503", program)
    assert why.startswith(f"{PING}not ready within {patience:g} seconds: /ping answered HTTP 503. Its last log line: ")


def test_a_container_that_ends_before_it_is_ready(ground: Ground) -> None:
    ground.put("in/a.csv", b"abc")
    program = """
        raise ImportError("no module named xgboost")
    """
    assert reason(TransformInstance(ground, program)) == PING + (
        "the container ended with exit code 1 before it was ready. Its last log line: ImportError: no module named "
        "xgboost" + SEE_LOGS
    )


@pytest.mark.parametrize(
    ("split_type", "what"),
    [
        ("None", "s3://bucket/in/a.csv, which is sent as a whole (SplitType None), has 1048580 bytes"),
        ("Line", "s3://bucket/in/a.csv, record 2, has 1048577 bytes"),
    ],
)
def test_what_is_too_large_says_by_how_much(ground: Ground, split_type: str, what: str) -> None:
    ground.put("in/a.csv", b"a\n" + b"x" * 1048576 + b"\n" + b"b")
    instance = TransformInstance(ground, split_type=split_type, max_payload_mb=1)
    assert reason(instance) == (
        f"ClientError: {what}, but a request holds at most MaxPayloadInMB=1 (1048576 bytes)" + SEE_LOGS
    )
    assert instance.outputs() == {}


def test_an_object_that_is_no_gzip(ground: Ground) -> None:
    ground.put("in/a.csv", b"1,2,3\n")
    why = reason(TransformInstance(ground, compression="Gzip", split_type="Line"))
    assert why.startswith("ClientError: s3://bucket/in/a.csv is not a whole gzip file, though TransformInput.")


def test_no_objects(ground: Ground) -> None:
    why = reason(TransformInstance(ground, s3_uri="s3://bucket/nothing/"))
    assert why.startswith('ClientError: No S3 objects found under S3 URL "s3://bucket/nothing/" given in input data')


def test_no_bucket_for_the_output_is_noticed_before_any_work(ground: Ground) -> None:
    ground.put("in/a.csv", b"1,2,3\n")
    instance = TransformInstance(ground, output_uri="s3://elsewhere/out/")
    why = reason(instance)
    assert why.startswith("ClientError: TransformOutput.S3OutputPath s3://elsewhere/out/ cannot be written")
    assert instance.served() == []


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (None, "ClientError: Could not access model data at s3://bucket/model.tar.gz"),
        (b"no archive", "ClientError: The model s3://bucket/model.tar.gz cannot be unpacked"),
        (model_archive({"../../etc/passwd": b"x"}), "ClientError: The model s3://bucket/model.tar.gz cannot be unpack"),
    ],
)
def test_a_model_that_cannot_be_used(ground: Ground, archive: bytes | None, why: str) -> None:
    ground.put("in/a.csv", b"1,2,3\n")
    if archive is not None:
        ground.put("model.tar.gz", archive)
    assert reason(TransformInstance(ground, model_uri="s3://bucket/model.tar.gz")).startswith(why)
