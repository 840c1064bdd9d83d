"""CreateTransformJob and what Describe shows of the job, over a real store."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.transform_job import DataProcessing
from sagestone.wire.errors import ResourceInUse, ServiceError, ValidationException
from tests.unit.requests import DIGEST
from tests.unit.served import Served

ROLE = "arn:aws:iam::123456789012:role/Serving"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:transform-job/batch"
MODEL: dict[str, Any] = {
    "ModelName": "oak",
    "PrimaryContainer": {
        "Image": "trees:1",
        "ModelDataUrl": "s3://data/models/model.tar.gz",
        "Environment": {"WORKERS": "2"},
    },
    "ExecutionRoleArn": ROLE,
}
REQUEST: dict[str, Any] = {
    "TransformJobName": "Batch",
    "ModelName": "oak",
    "MaxConcurrentTransforms": 2,
    "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 0},
    "MaxPayloadInMB": 50,
    "BatchStrategy": "MultiRecord",
    "Environment": {"MODE": "batch"},
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/batch/"}},
        "ContentType": "text/csv",
        "CompressionType": "Gzip",
        "SplitType": "Line",
    },
    "TransformOutput": {"S3OutputPath": "s3://data/out", "Accept": "text/csv", "AssembleWith": "Line"},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
    "DataProcessing": {"InputFilter": "$", "OutputFilter": "", "JoinSource": "None"},
    "ExperimentConfig": {"ExperimentName": "e", "TrialName": "t"},
    "Tags": [{"Key": "team", "Value": "forest"}],
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    made.put("s3://data/models/model.tar.gz")
    made.call("CreateModel", MODEL)
    yield made
    made.store.close()


def changed(**members: Any) -> dict[str, Any]:
    """The request with members replaced; of structures, their members."""
    request = deepcopy(REQUEST)
    for name, value in members.items():
        request[name] = {**request.get(name, {}), **value} if isinstance(value, dict) else value
    return request


def refusal(served: Served, **members: Any) -> str:
    with pytest.raises(ServiceError) as caught:
        served.call("CreateTransformJob", changed(**members))
    assert isinstance(caught.value, ValidationException)
    return caught.value.message


def test_a_job_is_described_as_it_was_asked_for(served: Served) -> None:
    assert served.call("CreateTransformJob", REQUEST) == {"TransformJobArn": ARN}
    assert served.hints == 1
    shown = served.sagemaker("DescribeTransformJob", TransformJobName="Batch")
    echoed = {name: value for name, value in REQUEST.items() if name != "Tags"}
    assert shown == {
        **echoed,
        "TransformOutput": {**REQUEST["TransformOutput"], "KmsKeyId": ""},
        "TransformJobArn": ARN,
        "TransformJobStatus": "InProgress",
        "CreationTime": served.now,
    }
    assert served.sagemaker("ListTags", ResourceArn=ARN)["Tags"] == REQUEST["Tags"]
    (row,) = served.sagemaker("ListTransformJobs", NameContains="Bat", StatusEquals="InProgress")[
        "TransformJobSummaries"
    ]
    assert row["TransformJobArn"] == ARN


def test_the_job_does_what_was_asked_with_what_the_model_says(served: Served) -> None:
    served.call("CreateTransformJob", REQUEST)
    job = served.store.transform_job("Batch")
    assert job is not None
    (container,) = job.spec.containers
    assert (container.image.digest, container.model_uri) == (DIGEST, "s3://data/models/model.tar.gz")
    assert (container.environment, job.spec.environment) == ({"WORKERS": "2"}, {"MODE": "batch"})
    assert (job.spec.role_arn, job.spec.model_name, job.spec.instance_count) == (ROLE, "oak", 2)
    assert (job.spec.invocations_timeout_seconds, job.spec.invocations_max_retries) == (60, 0)
    assert (job.spec.max_payload_mb, job.spec.max_concurrent_transforms) == (50, 2)
    assert (job.spec.compression, job.spec.split_type, job.spec.assemble_with) == ("Gzip", "Line", "Line")
    assert job.spec.data_processing is None
    assert job.spec.algorithm_name is None


def test_a_pipeline_is_served_container_by_container(served: Served) -> None:
    containers = [{"Image": "trees:1", "ContainerHostname": "first"}, {"Image": "trees:1"}]
    served.sagemaker("CreateModel", ModelName="two", Containers=containers)
    served.call("CreateTransformJob", changed(ModelName="two"))
    job = served.store.transform_job("Batch")
    assert job is not None
    assert [container.hostname for container in job.spec.containers] == ["first", None]


def test_records_can_be_filtered_and_joined(served: Served) -> None:
    served.call("CreateTransformJob", changed(DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input"}))
    job = served.store.transform_job("Batch")
    assert job is not None
    assert job.spec.data_processing == DataProcessing(input_filter="$[1:]", join_source="Input", output_filter="$")


def test_what_clients_send_for_nothing_means_nothing(served: Served) -> None:
    least = {name: REQUEST[name] for name in ("TransformJobName", "ModelName")}
    least |= {
        "TransformInput": {
            "DataSource": REQUEST["TransformInput"]["DataSource"],
            "ContentType": "",
            "SplitType": "None",
        },
        "TransformOutput": {"S3OutputPath": "s3://data/out", "KmsKeyId": "", "Accept": ""},
        "TransformResources": {**REQUEST["TransformResources"], "VolumeKmsKeyId": ""},
        "Environment": {},
        "MaxConcurrentTransforms": 0,
    }
    served.call("CreateTransformJob", least)
    job = served.store.transform_job("Batch")
    assert job is not None
    assert (job.spec.content_type, job.spec.accept, job.spec.max_concurrent_transforms) == (None, None, None)
    assert (job.spec.invocations_timeout_seconds, job.spec.invocations_max_retries) == (600, 3)
    assert (
        "VolumeKmsKeyId" not in served.sagemaker("DescribeTransformJob", TransformJobName="Batch")["TransformResources"]
    )


def test_a_model_may_go_while_its_job_is_there(served: Served) -> None:
    served.call("CreateTransformJob", REQUEST)
    before = served.store.transform_job("Batch")
    served.sagemaker("DeleteModel", ModelName="oak")
    assert served.store.transform_job("Batch") == before
    assert served.sagemaker("DescribeTransformJob", TransformJobName="Batch")["ModelName"] == "oak"


def test_a_taken_name_is_in_use_whatever_the_case_of_its_letters(served: Served) -> None:
    served.call("CreateTransformJob", REQUEST)
    for name in ("Batch", "batch"):
        with pytest.raises(ResourceInUse) as caught:
            served.call("CreateTransformJob", changed(TransformJobName=name))
        assert caught.value.message == (
            f"Job name must be unique within an AWS account and region, and a job with this name already exists ({ARN})"
        )


def test_a_model_that_is_not_there_is_told_in_the_services_words(served: Served) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/elm"
    assert refusal(served, ModelName="elm") == f'Could not find model "{arn}".'
    assert served.sagemaker("ListTransformJobs")["TransformJobSummaries"] == []


SOURCE = {"S3DataSource": {"S3Uri": "s3://data/models/", "S3DataType": "S3Prefix", "CompressionType": "None"}}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"PrimaryContainer": {"Image": "trees:1", "ModelDataSource": SOURCE}},
            "SageMaker Batch currently doesn't support Model entity with container definitions which use "
            "ModelDataSource attribute",
        ),
        (
            {"PrimaryContainer": {"Image": "trees:1", "AdditionalModelDataSources": [{"ChannelName": "a", **SOURCE}]}},
            "which use AdditionalModelDataSources attribute",
        ),
        ({"PrimaryContainer": {"Image": "trees:1", "Mode": "MultiModel"}}, "which use Mode MultiModel"),
        (
            {"Containers": [{"Image": "trees:1"}], "InferenceExecutionConfig": {"Mode": "Direct"}},
            "Model hosted has InferenceExecutionConfig Mode Direct",
        ),
    ],
)
def test_a_model_for_endpoints_only_is_refused(served: Served, members: dict[str, Any], words: str) -> None:
    served.sagemaker("CreateModel", ModelName="hosted", **members)
    assert words in refusal(served, ModelName="hosted")


@pytest.mark.parametrize(
    ("members", "violation"),
    [
        ({"MaxPayloadInMB": 101}, "Value '101' at 'maxPayloadInMB' failed"),
        ({"MaxPayloadInMB": 0, "MaxConcurrentTransforms": 101}, "Value '101' at 'maxConcurrentTransforms' failed"),
        ({"MaxPayloadInMB": 51}, "Value '2' at 'maxConcurrentTransforms' failed to satisfy constraint: Member times"),
        (
            {
                "TransformInput": {
                    "DataSource": {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://a/b"}}
                }
            },
            "Value 'AugmentedManifestFile' at 'transformInput.dataSource.s3DataSource.s3DataType' failed",
        ),
        ({"TransformResources": {"InstanceCount": 101}}, "Value '101' at 'transformResources.instanceCount' failed"),
        ({"TransformResources": {"TransformAmiVersion": "al2"}}, "at 'transformResources.transformAmiVersion' failed"),
        ({"TransformResources": {"VolumeKmsKeyId": "k"}}, "Value 'k' at 'transformResources.volumeKmsKeyId' failed"),
        ({"TransformOutput": {"KmsKeyId": "k"}}, "Value 'k' at 'transformOutput.kmsKeyId' failed"),
        ({"DataProcessing": {"InputFilter": "$["}}, "Value '$[' at 'dataProcessing.inputFilter' failed"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"Accept": "application/json"}},
            "Value 'application/json' at 'transformOutput.accept' failed to satisfy constraint: Member must be the",
        ),
        (
            {"DataCaptureConfig": {"DestinationS3Uri": "s3://a/b", "KmsKeyId": "k"}},
            "Value 'k' at 'dataCaptureConfig.kmsKeyId' failed to satisfy constraint: Member must be a KMS key that can "
            "be used: NotFoundException: Invalid keyId 'k'",
        ),
        (
            {
                "DataCaptureConfig": {"DestinationS3Uri": "s3://a/b", "GenerateInferenceId": True},
                "TransformOutput": {"Accept": "image/png"},
            },
            "Value 'image/png' at 'transformOutput.accept' failed to satisfy constraint: Member must be one of",
        ),
        ({"Tags": [{"Key": "a", "Value": ""}] * 2}, "Value 'a' at 'tags.2.member.key' failed"),
    ],
)
def test_rules_across_members(served: Served, members: dict[str, Any], violation: str) -> None:
    assert violation in refusal(served, **members)
    assert served.store.job_keys() == []
