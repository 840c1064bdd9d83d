"""TLS with a certificate of one's own: for clients, for presigned URLs, for commands and for jobs' containers."""

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import SSLError

from tests.certificates import make_pair
from tests.system.prepared import prepared_service
from tests.system.service import REGION, RunningService
from tests.system.training import log_of, train, training_request
from tests.system.validation import BUCKET


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, archives: list[str]) -> Iterator[RunningService]:
    """A service with TLS, on every address of this machine's loopback only."""
    directory = tmp_path_factory.mktemp("secure")
    pair = make_pair(directory / "pair")
    environment = {
        "SAGESTONE_RUNTIME": "sandbox",
        "SAGESTONE_TLS_CERTIFICATE": str(pair.certificate),
        "SAGESTONE_TLS_KEY": str(pair.key),
        "SAGESTONE_TLS_CA": str(pair.authority),
    }
    with prepared_service(directory, environment, archives, ca=pair.authority) as service:
        yield service


def test_clients_trust_the_authority_that_env_names(secure: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = json.loads(secure.command("env", "--json").stdout)
    assert shown["AWS_ENDPOINT_URL"] == secure.endpoint
    for name, value in shown.items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    assert session.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert session.client("s3").get_object(Bucket=BUCKET, Key="train/a.csv")["Body"].read() == b"1,2\n3,4\n"
    url = session.client("s3").generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "train/a.csv"})
    assert url.startswith("https://")
    with urlopen(url, context=ssl.create_default_context(cafile=shown["AWS_CA_BUNDLE"]), timeout=10) as answer:
        assert answer.read() == b"1,2\n3,4\n"
    monkeypatch.delenv("AWS_CA_BUNDLE")
    with pytest.raises(SSLError):
        boto3.Session().client("sts").get_caller_identity()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_and_plain_requests_get_nothing(secure: RunningService) -> None:
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", secure.port), 10) as plain, pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(plain)
    with socket.create_connection(("127.0.0.1", secure.port), 10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("instances", [1, 2])
def test_containers_reach_the_service_and_commands_do(secure: RunningService, instances: int) -> None:
    ask = "for i in 1 2 3; do wget -q -O - $AWS_CONTAINER_CREDENTIALS_FULL_URI && echo && break; sleep 1; done"
    specified = {
        "TrainingImage": "tests/train:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/sh", "-c", ask],
    }
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1}
    name = f"tls-{instances}"
    request = training_request(name, AlgorithmSpecification=specified, ResourceConfig=resources)
    assert train(secure, request)["TrainingJobStatus"] == "Completed"
    (document,) = [json.loads(line) for line in log_of(secure, name) if line.startswith("{")]
    keys: dict[str, Any] = {
        "aws_access_key_id": document["AccessKeyId"],
        "aws_secret_access_key": document["SecretAccessKey"],
        "aws_session_token": document["Token"],
    }
    inside = json.loads((secure.home / "service.json").read_text())["inside"]
    assert inside.startswith("http://127.0.0.1:")
    sts = boto3.client("sts", endpoint_url=inside, region_name=REGION, **keys)
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/Validation/SageMaker")
    assert "[sagestone] algo-1 runs on sandbox" in secure.command("logs", name).stdout
