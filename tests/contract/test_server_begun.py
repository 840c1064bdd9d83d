"""Operations that are begun on the loop and answered once they are stored."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagestone.store.interface import StoreFull, StoreUnavailable
from tests.contract.test_server import TRAINING
from tests.contract.toy_service import ARN, Served, toy_service

PATIENCE = 60


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with toy_service(begun=True) as service:
        yield service


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def create(client: Any, name: str, description: str = "") -> Any:
    return client.create_algorithm(
        AlgorithmName=name, AlgorithmDescription=description, TrainingSpecification=TRAINING
    )["AlgorithmArn"]


def test_the_answer_waits_for_the_store_and_the_loop_does_not(served: Served, pool: ThreadPoolExecutor) -> None:
    client = served.client("sagemaker")  # one for all threads: only the making of clients is not for several
    asked = [pool.submit(create, client, f"begun-{number}") for number in range(8)]
    begun = [served.stored.get(timeout=PATIENCE) for _ in asked]
    assert client.describe_algorithm(AlgorithmName="stored")["AlgorithmName"] == "stored"
    assert not any(one.done() for one in asked)
    for stored in begun:
        stored.set_result(None)
    assert [one.result(PATIENCE) for one in asked] == [f"{ARN}begun-{number}" for number in range(8)]
    assert not any(thread.startswith("operation") for call, thread in served.calls)


def test_one_that_is_stored_at_once_is_answered(served: Served, pool: ThreadPoolExecutor) -> None:
    asked = pool.submit(create, served.client("sagemaker"), "at-once")
    served.stored.get(timeout=PATIENCE).set_result(None)
    assert asked.result(PATIENCE) == f"{ARN}at-once"


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (StoreFull("no room"), "InternalFailure", 500),
        (StoreUnavailable("away"), "ServiceUnavailable", 503),
        (RuntimeError("an inside that nobody may see"), "InternalFailure", 500),
    ],
)
def test_what_the_store_refuses_is_told(
    served: Served, pool: ThreadPoolExecutor, failure: Exception, code: str, status: int
) -> None:
    asked: Future[Any] = pool.submit(create, served.client("sagemaker"), "unlucky")
    served.stored.get(timeout=PATIENCE).set_exception(failure)
    refused = asked.exception(PATIENCE)
    assert isinstance(refused, ClientError)
    assert refused.response["Error"]["Code"] == code
    assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert "inside" not in refused.response["Error"]["Message"]


@pytest.mark.parametrize(("name", "padding"), [("threaded", 0), ("large", 20_000)])
def test_what_would_wait_or_is_large_is_left_to_a_thread(served: Served, name: str, padding: int) -> None:
    if padding:  # a member that the model does not know makes a request larger, no more
        client = served.client("sagemaker")
        client.meta.events.register("before-call", lambda params, **_: params.update(body=_padded(params, padding)))
        client.create_algorithm(AlgorithmName=name, TrainingSpecification=TRAINING)
    else:
        assert create(served.client("sagemaker"), name) == f"{ARN}{name}"
    assert served.calls[-1][1].startswith("operation")
    assert served.stored.empty()


def _padded(params: dict[str, Any], padding: int) -> bytes:
    body: bytes = params["body"]
    return body + b" " * padding
