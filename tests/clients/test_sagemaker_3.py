"""SageMaker SDK 3, unmodified: ModelTrainer with a registered algorithm."""

import pytest

from tests.clients.client import Client
from tests.clients.requests import algorithm
from tests.system.validation import BUCKET, ROLE, validate


@pytest.mark.client("sagemaker-3")
def test_model_trainer_trains_a_registered_algorithm(client: Client) -> None:
    done = validate(client.service, algorithm("sdk3-forest"))
    request = {"bucket": BUCKET, "algorithm_arn": done["AlgorithmArn"], "role": ROLE, "data": f"s3://{BUCKET}/train"}
    seen, printed = client.flow("python_sdk_3.py", request, **client.opted_out())
    assert seen["status"] == "Completed"
    assert seen["model"] == f"s3://{BUCKET}/models/{seen['job']}/output/model.tar.gz"
    assert seen["hyperparameters"] == {"mode": "plain"}
    assert "mode plain on algo-1" in printed
    assert client.proxy.asked == []
