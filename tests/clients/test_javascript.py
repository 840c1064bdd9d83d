"""The AWS SDK for JavaScript 3, unmodified: the whole life of an algorithm and of what is made with it."""

import pytest

from tests.clients.client import Client
from tests.clients.requests import algorithm, training, transform

BUCKET = "javascript"


@pytest.mark.client("javascript")
def test_the_whole_life_of_an_algorithm(client: Client) -> None:
    request = {
        "bucket": BUCKET,
        "algorithm": algorithm("js-forest", BUCKET),
        "training": training("js-job", "js-forest", BUCKET),
        "transform": transform("js-transform", "js-forest", BUCKET),
    }
    seen, _ = client.flow("life.mjs", request)
    assert seen["identity"].endswith(":user/sagestone")
    assert seen["algorithm"]["AlgorithmStatus"] == "Completed", seen["algorithm"]
    assert seen["tags"] == [{"Key": "more", "Value": "x"}]
    assert sorted(seen["listed"]) == [["js-forest"], ["js-forest-second"]]
    assert (seen["waited"], seen["created"]) == ("SUCCESS", True)
    assert seen["training"]["FinalMetricDataList"][0]["Value"] == 0.5
    assert "mode plain on algo-1" in seen["lines"]
    assert [point["Average"] for point in seen["metric"]] == [0.5]
    assert seen["package"]["ModelPackageStatus"] == "Completed"
    assert (seen["transform"], seen["outputs"]) == ("Completed", {"out/batch/rows.csv.out": "r1;ok\nr2;ok\n"})
    assert seen["taken"]["message"].startswith("Cannot create already existing algorithm")
    assert seen["gone"]["name"] == "ValidationException"
    assert "does not exist" in seen["gone"]["message"]
    assert seen["gone"]["request"]
    assert client.proxy.asked == []
