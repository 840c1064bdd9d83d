"""Serving containers that are late, slow or silent, and what the others do meanwhile."""

from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance, told_with_patience


def test_a_container_that_listens_late_and_then_warms_up_is_waited_for(ground: Ground) -> None:
    ground.put("in/a", b"x")
    program = """
        time.sleep(1)
        pings = []
        def ping():
            pings.append(1)
            return 200 if len(pings) > 3 else 503
        def answer(request):
            return b"%d" % len(pings)
    """
    instance = TransformInstance(ground, program)
    instance.complete()
    assert ground.get("out/a.out") == b"4"
    assert instance.stages() == ["Starting", "Downloading", "Training", "Uploading"]


def test_a_ping_that_hangs_is_given_up_and_asked_again(ground: Ground) -> None:
    ground.put("in/a", b"x")
    program = """
        pings = []
        def ping():
            pings.append(1)
            if len(pings) == 1:
                time.sleep(60)
            return 200
    """
    TransformInstance(ground, program).complete()


def test_a_ping_that_always_hangs_is_told(ground: Ground) -> None:
    ground.put("in/a", b"x")
    met = "the last ping of port 8080 met: no answer within 2 seconds"
    why, patience = told_with_patience(ground, met, "def ping():\n    time.sleep(60)\n")
    assert f"not ready within {patience:g} seconds: {met}" in why


def test_parameters_that_do_not_come_are_told_and_the_defaults_hold(ground: Ground) -> None:
    ground.put("in/a", b"x")
    program = """
        def parameters():
            return Reply(200, b"[1]", length=10, close=True)
    """
    instance = TransformInstance(ground, program)
    instance.complete()
    parameters, trouble = instance.log(data=True)
    assert parameters == "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"
    assert trouble.startswith("/execution-parameters is ignored: the answer ended 7 bytes before its Content-Length")


def test_503_while_warming_up_is_repeated_and_204_is_an_empty_answer(ground: Ground) -> None:
    ground.put("in/a", b"1\n2\n3\n")
    program = """
        def answer(request):
            if request.number <= 2:
                return Reply(503, b"warming up")
            return Reply(204) if request.body == b"2\\n" else request.body
    """
    instance = TransformInstance(
        ground, program, split_type="Line", assemble_with="Line", batch_strategy="SingleRecord"
    )
    instance.complete()
    assert ground.get("out/a.out") == b"1\n\n3\n"


def test_on_one_slow_record_the_others_go_on(ground: Ground) -> None:
    """Record 1 is answered only when sixty others have been, which needs only the other three connections."""
    ground.put("in/a", b"".join(b"%d\n" % number for number in range(1, 201)))
    program = """
        def answer(request):
            if request.body == b"1\\n":
                deadline = time.monotonic() + 20
                while count < 60 and time.monotonic() < deadline:
                    time.sleep(0.01)
                return b"%d\\n" % (count >= 60)
            return request.body
    """
    instance = TransformInstance(
        ground, program, split_type="Line", batch_strategy="SingleRecord", max_concurrent_transforms=4
    )
    instance.complete()
    assert ground.get("out/a.out") == b"".join(b"%d\n" % number for number in range(1, 201))
