"""SageMaker Python SDK 2, unmodified: fit, attach and transform with a registered algorithm."""

import pytest

from tests.clients.client import TELEMETRY, Client
from tests.clients.requests import algorithm
from tests.system.validation import ROLE, validate


@pytest.mark.client("sagemaker-2")
@pytest.mark.parametrize("telemetry", [True, False])
def test_an_algorithm_is_trained_attached_to_and_transforms(client: Client, telemetry: bool) -> None:
    done = validate(client.service, algorithm(f"sdk2-forest-{telemetry}"))
    assert done["AlgorithmStatus"] == "Completed"
    bucket = f"sdk2-{telemetry}".lower()
    request = {"bucket": bucket, "algorithm_arn": done["AlgorithmArn"], "role": ROLE}
    seen, printed = client.flow("python_sdk_2.py", request, **({} if telemetry else client.opted_out()))
    assert seen["bucket"] == bucket
    assert seen["files"] == ["training/large", "training/rows.csv"]
    assert (seen["same"], seen["read"]) == (True, "1,2\n3,4\n")
    assert printed.count("mode plain on algo-1") == 1
    assert seen["model"] == f"s3://{bucket}/{seen['job']}/output/model.tar.gz"
    assert "unknown" in seen["unknown"]
    assert seen["metrics"] == [["loss", 0.5]]
    assert seen["trained_by"] == [seen["job"]]
    assert seen["attached"] == [done["AlgorithmArn"], {"mode": "plain"}, seen["model"]]
    assert "model: model.csv batch:" in printed
    assert seen["outputs"] == {"out/batch/rows.csv.out": "r1;ok\nr2;ok\n"}
    assert client.service.client("sagemaker").list_models(NameContains=seen["served"])["Models"] == []
    assert set(client.proxy.asked) == ({TELEMETRY} if telemetry else set())
