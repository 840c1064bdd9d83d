"""A stop costs nobody anything: what is under way is answered, what runs goes on; and a machine can be emptied."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.system.service import RunningService, eventually
from tests.system.training import ended, log_of, reaches, training_request

_HALF = b"x" * 100_000


@pytest.fixture
def service(sandbox_service: RunningService) -> Iterator[RunningService]:
    """The module's service, up and open again after the test."""
    yield sandbox_service
    sandbox_service.stop()
    sandbox_service.start()


def _begin_upload(service: RunningService, key: str) -> socket.socket:
    """A PUT of which one half was sent; the service has read its head."""
    url = service.client("s3").generate_presigned_url("put_object", Params={"Bucket": "tests", "Key": key})
    parts = urlsplit(url)
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=30)
    head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nExpect: 100-continue\r\n"
    connection.sendall(f"{head}Content-Length: {2 * len(_HALF)}\r\n\r\n".encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
    connection.sendall(_HALF)
    return connection


def _refuses(service: RunningService) -> bool:
    try:
        socket.create_connection(("127.0.0.1", service.port), timeout=30).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_answers_what_is_under_way_refuses_new_ones_and_lets_jobs_go_on(
    service: RunningService, number: signal.Signals
) -> None:
    name = f"goes-on-{number.name.lower()}"
    service.client("sagemaker").create_training_job(**training_request(name, "slow"))
    reaches(service, name, "Training")
    with _begin_upload(service, name) as connection:
        os.kill(service.pid, number)
        eventually(lambda: _refuses(service), "new connections are refused")
        connection.sendall(_HALF)
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer.lower()
    assert service.wait() == 0
    service.start()
    assert service.client("s3").get_object(Bucket="tests", Key=name)["Body"].read() == 2 * _HALF
    assert ended(service, name)["TrainingJobStatus"] == "Completed"
    assert log_of(service, name).count("mode slow on algo-1") == 1


def test_a_drained_machine_empties_and_takes_jobs_again_afterwards(service: RunningService) -> None:
    sagemaker = service.client("sagemaker")
    sagemaker.create_training_job(**training_request("runs", "slow"))
    reaches(service, "runs", "Training")
    told = service.command("drain", "--json")
    assert json.loads(told.stdout) == {"draining": True, "placed": 1, "waiting": 0}
    sagemaker.create_training_job(**training_request("waits"))
    reaches(service, "waits", "Pending")
    told = service.command("drain", "--wait", "--json")
    assert json.loads(told.stdout) == {"draining": True, "placed": 0, "waiting": 1}
    assert ended(service, "runs")["TrainingJobStatus"] == "Completed"
    assert sagemaker.describe_training_job(TrainingJobName="waits")["SecondaryStatus"] == "Pending"
    assert service.command("drain", "--end").returncode == 0
    assert ended(service, "waits")["TrainingJobStatus"] == "Completed"
