"""sagemaker-core 2, unmodified: algorithms and jobs as objects."""

import pytest

from tests.clients.client import Client
from tests.clients.requests import algorithm, training, transform


@pytest.mark.client("sagemaker-core-2")
def test_the_life_of_an_algorithm_and_its_jobs(client: Client) -> None:
    request = {
        "algorithm": algorithm("core-forest"),
        "training": training("core-job", "core-forest"),
        "transform": transform("core-transform", "core-model"),
    }
    seen, printed = client.flow("python_core_2.py", request)
    assert seen["first"] in ("Pending", "InProgress")
    assert (seen["status"], seen["image"], seen["all"]) == ("Completed", "tests/train:1", ["core-forest"])
    assert (seen["training"], seen["jobs"]) == (["Completed", 0.5], ["core-job"])
    assert printed.count("mode plain on algo-1") == 1
    assert (seen["transform"], seen["left"]) == ("Completed", [])
    assert client.proxy.asked == []
