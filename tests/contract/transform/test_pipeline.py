"""Serial inference pipelines: several real serving containers on one instance."""

import json

import pytest

from sagestone.domain.failure import Failure
from sagestone.domain.image import ImageReference
from sagestone.domain.transform_job import ModelContainer
from tests.contract.training.training_instance import Ground, Platform
from tests.contract.transform.transform_instance import (
    TransformInstance,
    bound_image,
    model_archive,
    serving,
    told_with_patience,
)

#: Adds the word in its model to each line, and answers with a type of its own.
ADDS = """
    def answer(request):
        word = open("/opt/ml/model/word", "rb").read()
        lines = [line + b";" + word for line in request.body.splitlines()]
        return Reply(200, b"\\n".join(lines), "text/" + word.decode())
"""
PLAIN = """
    def answer(request):
        return request.body
"""


@pytest.fixture(scope="module")
def bound(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> ImageReference:
    return bound_image(platform, tmp_path_factory.mktemp("bound"))


def pipeline(ground: Ground, *programs: str) -> tuple[ModelContainer, ...]:
    """Containers called first, second, third … that run these programs."""
    names = ("first", "second", "third")
    return tuple(
        serving(ground.platform, program, hostname=name) for name, program in zip(names, programs, strict=False)
    )


def reason(instance: TransformInstance) -> str:
    """The FailureReason of a job that has to fail; nothing is left behind."""
    outcome = instance.run()
    assert outcome.ending == "Failed"
    assert isinstance(outcome.failure, Failure)
    assert instance.left_behind() == []
    return outcome.failure.reason


def test_data_goes_through_all_containers_in_order(ground: Ground) -> None:
    words = ("one", "two", "three")
    for word in words:
        ground.put(f"models/{word}.tar.gz", model_archive({"word": word.encode()}))
    ground.put("in/a.csv", b"".join(b"%d\n" % number for number in range(100)))
    containers = tuple(
        serving(ground.platform, ADDS, model_uri=f"s3://bucket/models/{word}.tar.gz", hostname=f"host-{word}")
        for word in words
    )
    instance = TransformInstance(
        ground,
        containers=containers,
        content_type="text/csv",
        accept="text/three",
        split_type="Line",
        assemble_with="Line",
        batch_strategy="SingleRecord",
        max_concurrent_transforms=4,
    )
    instance.complete()
    assert ground.get("out/a.csv.out") == b"".join(b"%d;one;two;three\n" % number for number in range(100))
    for word, seen in zip(words, [("text/csv", None), ("text/one", None), ("text/two", "text/three")], strict=True):
        served = [json.loads(line) for line in instance.log(container=f"host-{word}") if line.startswith("{")]
        assert {(one["content_type"], one["accept"]) for one in served} == {seen}
        assert len(served) == 100
    assert instance.left_behind() == []


def test_containers_find_each_other_by_name_and_ports_by_their_variables(ground: Ground, bound: ImageReference) -> None:
    ground.put("in/a", b"x")
    asks = """
        import socket, json
        def answer(request):
            seen = [os.environ.get("SAGEMAKER_BIND_TO_PORT"), os.environ.get("SAGEMAKER_SAFE_PORT_RANGE")]
            for name, port in (("plain", 8080), ("container-2", 8081), ("bound", 8082)):
                socket.create_connection((name, port), 5).close()
            return request.body + json.dumps(seen).encode()
    """
    containers = (
        serving(ground.platform, asks, hostname="plain"),
        serving(ground.platform, asks, image=bound),
        serving(ground.platform, asks, image=bound, hostname="bound"),
    )
    instance = TransformInstance(ground, containers=containers)
    instance.complete()
    assert ground.get("out/a.out") == b'x[null, null]["8081", "11000-11999"]["8082", "12000-12999"]'


def test_a_single_container_is_told_no_port_whatever_its_label(ground: Ground, bound: ImageReference) -> None:
    ground.put("in/a", b"x")
    program = """
        def answer(request):
            return b",".join(name.encode() for name in sorted(os.environ) if "PORT" in name)
    """
    TransformInstance(ground, containers=(serving(ground.platform, program, image=bound),)).complete()
    assert ground.get("out/a.out") == b""


def test_the_environment_of_the_job_reaches_every_container(ground: Ground) -> None:
    ground.put("in/a", b"")
    ground.put("in/b", b"x")
    program = """
        def answer(request):
            return request.body + ("|" + os.environ["MINE"] + os.environ["BOTH"]).encode()
    """
    containers = tuple(
        serving(ground.platform, program, environment={"MINE": name, "BOTH": "model"}) for name in ("a", "b")
    )
    TransformInstance(ground, containers=containers, environment={"BOTH": "job"}).complete()
    assert ground.get("out/b.out") == b"x|ajob|bjob"


def test_an_empty_answer_ends_the_way_of_a_request(ground: Ground) -> None:
    ground.put("in/a", b"x")
    nothing = """
        def answer(request):
            return Reply(204)
    """
    instance = TransformInstance(ground, containers=pipeline(ground, nothing, PLAIN))
    instance.complete()
    assert ground.get("out/a.out") == b""
    assert [line for line in instance.log(container="second") if line.startswith("{")] == []


def test_the_container_that_refuses_is_named(ground: Ground) -> None:
    ground.put("in/a", b"x")
    ground.put("in/b", b"bad")
    refuses = """
        def answer(request):
            return Reply(400, b"no such feature") if request.body == b"bad" else request.body
    """
    assert reason(TransformInstance(ground, containers=pipeline(ground, PLAIN, refuses, PLAIN))) == (
        "ClientError: s3://bucket/in/b: the container second (2 of 3) answered HTTP 400 Bad Request: "
        '"no such feature". 1 of 2 objects failed. See job logs for more information'
    )
    assert ground.get("out/a.out") == b"x"


def test_only_the_container_that_failed_is_asked_again(ground: Ground) -> None:
    ground.put("in/a", b"x")
    fails_once = """
        def answer(request):
            return Reply(503) if request.number == 1 else request.body
    """
    instance = TransformInstance(ground, containers=pipeline(ground, PLAIN, fails_once))
    instance.complete()
    counts = [
        len([line for line in instance.log(container=name) if line.startswith("{")]) for name in ("first", "second")
    ]
    assert counts == [1, 2]


def test_the_container_that_hangs_is_named(ground: Ground) -> None:
    ground.put("in/a", b"x")
    hangs = """
        def answer(request):
            time.sleep(600)
    """
    containers = pipeline(ground, PLAIN, hangs)
    instance = TransformInstance(
        ground, containers=containers, invocations_timeout_seconds=1, invocations_max_retries=0
    )
    assert reason(instance).startswith(
        "AlgorithmError: s3://bucket/in/a: the container second (2 of 2): no answer within 1 seconds"
    )


def test_the_container_that_dies_is_named(ground: Ground) -> None:
    ground.put("in/a", b"x")
    dies = """
        def answer(request):
            print("out of ideas", flush=True)
            os._exit(7)
    """
    assert reason(TransformInstance(ground, containers=pipeline(ground, PLAIN, dies, PLAIN))) == (
        "AlgorithmError: The container second (2 of 3) ended with exit code 7 while it had to answer for "
        "s3://bucket/in/a. Its last log line: out of ideas. See job logs for more information"
    )


def test_the_container_that_is_never_ready_is_named(ground: Ground) -> None:
    ground.put("in/a", b"x")
    never = """
        def ping():
            return 503
    """
    containers = pipeline(ground, PLAIN, never)
    why, patience = told_with_patience(ground, "HTTP 503", containers=containers)
    assert f"container second (2 of 2) is not ready within {patience:g} seconds: /ping answered HTTP 503" in why


def test_a_stop_ends_every_container(ground: Ground) -> None:
    ground.put("in/a", b"x")
    hangs = """
        def answer(request):
            time.sleep(600)
    """
    instance = TransformInstance(ground, containers=pipeline(ground, PLAIN, hangs)).start()
    instance.await_true(lambda: any(line.startswith("{") for line in instance.log(container="second")), "the request")
    instance.stop()
    assert instance.outcome().ending == "Stopped"
    assert instance.left_behind() == []


def test_an_agent_that_dies_is_followed_by_one_that_goes_on(ground: Ground) -> None:
    ground.put("in/a", b"x")
    hangs_once = """
        def answer(request):
            if request.number == 1:
                time.sleep(600)
            return request.body
    """
    instance = TransformInstance(ground, containers=pipeline(ground, PLAIN, hangs_once)).start()
    instance.await_true(lambda: any(line.startswith("{") for line in instance.log(container="second")), "the request")
    instance.kill()
    instance.start()
    assert instance.outcome().ending == "Completed"
    assert ground.get("out/a.out") == b"x"
    assert [
        sum(line.startswith("serving") for line in instance.log(container=name)) for name in ("first", "second")
    ] == [
        1,
        1,
    ]
    assert instance.left_behind() == []
