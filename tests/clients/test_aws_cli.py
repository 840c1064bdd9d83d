"""The AWS CLI, unmodified: the whole life of an algorithm and of what is made with it."""

import json
from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.requests import algorithm, training, transform
from tests.system.service import eventually
from tests.system.serving import wait
from tests.system.training import ended
from tests.system.validation import BUCKET, ROLE, finished

pytestmark = pytest.mark.client("aws-cli")


def aws(client: Client, *arguments: str, **documents: Any) -> Any:
    """Run `aws ARGUMENTS`, with an option for each document; the answer, read as JSON."""
    options = [word for name, value in documents.items() for word in (f"--{name.replace('_', '-')}", json.dumps(value))]
    printed = client.run("aws", *arguments, *options, "--output", "json")
    return json.loads(printed) if printed.strip() else None


def test_the_life_of_an_algorithm_and_of_what_is_made_with_it(client: Client) -> None:
    service, sagemaker = client.service, client.service.client("sagemaker")
    arn = aws(client, "sagemaker", "create-algorithm", cli_input_json=algorithm("cli-forest"))["AlgorithmArn"]
    assert finished(service, "cli-forest")["AlgorithmStatus"] == "Completed"
    described = aws(client, "sagemaker", "describe-algorithm", "--algorithm-name", arn)
    assert described["AlgorithmStatusDetails"]["ValidationStatuses"][0]["Status"] == "Completed"
    aws(client, "sagemaker", "add-tags", "--resource-arn", arn, "--tags", "Key=a,Value=1", "Key=b,Value=2")
    aws(client, "sagemaker", "delete-tags", "--resource-arn", arn, "--tag-keys", "a")
    tags = aws(client, "sagemaker", "list-tags", "--resource-arn", arn, "--query", "Tags[].[Key,Value]")
    assert tags == [["b", "2"]]
    sagemaker.create_algorithm(
        AlgorithmName="cli-forest-second", TrainingSpecification=algorithm("cli-forest")["TrainingSpecification"]
    )
    paged = ("--name-contains", "cli-forest", "--page-size", "1", "--query", "AlgorithmSummaryList[].AlgorithmName")
    assert sorted(aws(client, "sagemaker", "list-algorithms", *paged)) == ["cli-forest", "cli-forest-second"]

    aws(client, "sagemaker", "create-training-job", cli_input_json=training("cli-job", "cli-forest"))
    ended(service, "cli-job")
    named = ("--training-job-name", "cli-job")
    client.run("aws", "sagemaker", "wait", "training-job-completed-or-stopped", *named)
    job = aws(client, "sagemaker", "describe-training-job", *named)
    assert (job["SecondaryStatus"], job["FinalMetricDataList"][0]["Value"]) == ("Completed", 0.5)
    group = ("--log-group-name", "/aws/sagemaker/TrainingJobs")
    streams = aws(client, "logs", "describe-log-streams", *group, "--log-stream-name-prefix", "cli-job/")
    (stream,) = streams["logStreams"]
    from_head = ("--log-stream-name", stream["logStreamName"], "--start-from-head")
    told = aws(client, "logs", "get-log-events", *group, *from_head)["events"]
    assert "mode plain on algo-1" in [event["message"] for event in told]

    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    source = {"SourceAlgorithms": [{"AlgorithmName": "cli-forest", "ModelDataUrl": data}]}
    create = ("create-model-package", "--model-package-name", "cli-package")
    package = aws(client, "sagemaker", *create, source_algorithm_specification=source)["ModelPackageArn"]
    eventually(lambda: status_of_package(client, package) == "Completed", "the package is Completed")
    model = ("--model-name", "cli-model", "--execution-role-arn", ROLE)
    aws(client, "sagemaker", "create-model", *model, primary_container={"ModelPackageName": package})
    aws(client, "sagemaker", "create-transform-job", cli_input_json=transform("cli-transform", "cli-model"))
    assert wait(service, "cli-transform")["TransformJobStatus"] == "Completed"
    client.run("aws", "s3", "cp", "--recursive", "--only-show-errors", f"s3://{BUCKET}/out", "out")
    found = {path.name: path.read_text() for path in client.home.glob("out/**/*.out")}
    assert found == {"first.csv.out": "r1;ok\nr2;ok\nr3;ok\n", "second.csv.out": "s1;ok\n"}

    aws(client, "sagemaker", "delete-algorithm", "--algorithm-name", "cli-forest")
    eventually(lambda: "cli-forest" not in names(sagemaker.list_algorithms()), "the algorithm is gone")
    code, complaint = client.refused("aws", "sagemaker", "describe-algorithm", "--algorithm-name", "cli-forest")
    assert (code, "ValidationException" in complaint, "does not exist" in complaint) == (255, True, True), complaint
    assert client.proxy.asked == []


def status_of_package(client: Client, arn: str) -> str:
    query = ("--query", "ModelPackageStatus")
    return str(aws(client, "sagemaker", "describe-model-package", "--model-package-name", arn, *query))


def names(answer: dict[str, Any]) -> list[str]:
    return [row["AlgorithmName"] for row in answer["AlgorithmSummaryList"]]


def test_objects_large_and_small(client: Client) -> None:
    """`aws s3` takes large files in parts, and brings back every name."""
    (client.home / "data").mkdir()
    large = bytes(range(256)) * (9 << 12)  # 9 MiB: two parts
    (client.home / "data" / "large").write_bytes(large)
    (client.home / "data" / "ü b+%.csv").write_bytes(b"1\n")
    client.run("aws", "s3", "mb", "s3://cli-objects")
    client.run("aws", "s3", "sync", "data", "s3://cli-objects/there", "--only-show-errors")
    client.run("aws", "s3", "sync", "s3://cli-objects/there", "back", "--only-show-errors")
    back = {path.name: path.read_bytes() for path in (client.home / "back").iterdir()}
    assert back == {"large": large, "ü b+%.csv": b"1\n"}
    client.run("aws", "s3", "rb", "s3://cli-objects", "--force")
    assert "cli-objects" not in client.run("aws", "s3", "ls")
    assert client.proxy.asked == []
