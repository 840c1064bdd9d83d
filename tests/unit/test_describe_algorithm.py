"""DescribeAlgorithm's echo rules."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagestone.domain.algorithm import Algorithm, StatusItem
from sagestone.domain.describe.algorithm import describe_algorithm
from sagestone.domain.rules.specification import specification_violations
from tests.unit.requests import DIGEST, JOB, LEFT_OUT, TRAINING, TRANSFORM, changed
from tests.unit.served import CHECKS, check_answer


def describe(request: dict[str, Any], **more: Any) -> dict[str, Any]:
    containers = (request.get("InferenceSpecification") or {}).get("Containers", ())
    algorithm = Algorithm(
        name=request["AlgorithmName"],
        arn=f"arn:aws:sagemaker:us-east-1:123456789012:algorithm/{request['AlgorithmName']}",
        created_at=1_700_000_000.1234,
        request=request,
        training_image_digest=DIGEST,
        container_image_digests=tuple(DIGEST if item.get("Image") else None for item in containers),
        **more,
    )
    shown = describe_algorithm(algorithm)
    check_answer("sagemaker", "DescribeAlgorithm", shown)
    return shown


def test_what_the_service_fills_in() -> None:
    shown = describe(changed())
    training = shown["TrainingSpecification"]
    assert shown["CreationTime"] == 1_700_000_000.123
    assert shown["CertifyForMarketplace"] is False
    assert training["TrainingImageDigest"] == DIGEST
    assert [item["IsRequired"] for item in training["SupportedHyperParameters"]] == [False, True, False, False]
    assert [item["IsTunable"] for item in training["SupportedHyperParameters"]] == [True, False, False, False]
    assert [item["IsRequired"] for item in training["TrainingChannels"]] == [True, False]
    container = shown["InferenceSpecification"]["Containers"][0]
    assert (container["ImageDigest"], container["IsCheckpoint"]) == (DIGEST, False)
    profile = shown["ValidationSpecification"]["ValidationProfiles"][0]
    assert profile["TrainingJobDefinition"]["OutputDataConfig"]["KmsKeyId"] == ""
    assert profile["TransformJobDefinition"]["TransformOutput"]["KmsKeyId"] == ""
    assert "ProductId" not in shown


def test_false_where_distributed_training_is_not_mentioned() -> None:
    shown = describe(changed((f"{TRAINING}.SupportsDistributedTraining", LEFT_OUT)))
    assert shown["TrainingSpecification"]["SupportsDistributedTraining"] is False


def test_what_the_service_keeps_to_itself() -> None:
    request = changed(
        (f"{JOB}.InputDataConfig.0.InputMode", "File"),
        (f"{JOB}.InputDataConfig.0.ShuffleConfig", {"Seed": 1}),
        (f"{JOB}.OutputDataConfig.CompressionType", "GZIP"),
        (f"{JOB}.ResourceConfig.KeepAlivePeriodInSeconds", 60),
        (f"{JOB}.ResourceConfig.VolumeKmsKeyId", ""),
        (f"{JOB}.StoppingCondition.MaxWaitTimeInSeconds", 700),
        (f"{JOB}.StoppingCondition.MaxPendingTimeInSeconds", 7200),
        (f"{TRANSFORM}.TransformResources.VolumeKmsKeyId", ""),
        (f"{TRAINING}.SupportedHyperParameters.0.Range", {}),
    )
    assert specification_violations(request) == []
    shown = describe(request)
    profile = shown["ValidationSpecification"]["ValidationProfiles"][0]
    assert profile["TrainingJobDefinition"]["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    text = str(profile)
    for name in ("InputMode'", "ShuffleConfig", "GZIP", "KeepAlive", "VolumeKmsKeyId", "MaxWait", "MaxPending"):
        assert name not in text.replace("TrainingInputMode'", "")
    assert "Range" not in shown["TrainingSpecification"]["SupportedHyperParameters"][0]


def test_everything_else_comes_back_as_it_was_given() -> None:
    request = changed()
    shown = describe(request)
    assert_within(request, shown)


def test_the_item_of_the_profile() -> None:
    shown = describe(
        changed(),
        status="Failed",
        validation=StatusItem(name="first", status="Failed", failure_reason="ClientError: no data"),
    )
    assert shown["AlgorithmStatusDetails"]["ValidationStatuses"] == [
        {"Name": "first", "Status": "Failed", "FailureReason": "ClientError: no data"}
    ]


OPTIONAL = (
    "AlgorithmDescription",
    "InferenceSpecification.SupportedContentTypes",
    "InferenceSpecification.SupportedTransformInstanceTypes",
    "InferenceSpecification.Containers.0.Environment",
    f"{TRAINING}.SupportedHyperParameters",
    f"{TRAINING}.SupportedTuningJobObjectiveMetrics",
    f"{TRAINING}.SupportsDistributedTraining",
    f"{JOB}.InputDataConfig.0.ContentType",
    f"{JOB}.ResourceConfig.VolumeSizeInGB",
    f"{JOB}.StoppingCondition.MaxRuntimeInSeconds",
    f"{TRANSFORM}.MaxPayloadInMB",
    f"{TRANSFORM}.BatchStrategy",
    f"{TRANSFORM}.TransformInput.SplitType",
    f"{TRANSFORM}.TransformOutput.Accept",
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    left_out=st.sets(st.sampled_from(OPTIONAL)),
    description=st.text(alphabet=st.characters(categories=["L", "N", "P"]), max_size=40),
    distribution=st.sampled_from(["FullyReplicated", "ShardedByS3Key"]),
    keep_alive=st.integers(min_value=0, max_value=21600),
)
def test_the_answer_to_any_accepted_request_satisfies_the_model(
    left_out: set[str], description: str, distribution: str, keep_alive: int
) -> None:
    request = changed(
        ("AlgorithmDescription", description),
        (f"{JOB}.InputDataConfig.0.DataSource.S3DataSource.S3DataDistributionType", distribution),
        (f"{JOB}.ResourceConfig.KeepAlivePeriodInSeconds", keep_alive),
        *((path, LEFT_OUT) for path in left_out),
    )
    clean, violations = CHECKS["sagemaker"].check("CreateAlgorithm", request)
    assert violations == []
    assert specification_violations(clean) == []
    describe(clean)


def assert_within(part: Any, whole: Any) -> None:
    """Everything of `part` stands in `whole`, which may have more members."""
    if isinstance(part, dict):
        for name, value in part.items():
            assert_within(value, whole[name])
    elif isinstance(part, list):
        assert len(part) == len(whole)
        for one, other in zip(part, whole, strict=True):
            assert_within(one, other)
    else:
        assert part == whole
