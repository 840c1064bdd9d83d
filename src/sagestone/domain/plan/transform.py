"""Turns the definition of a transform, and the model it serves, into the job."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.model import Model
from sagestone.domain.names import Deployment
from sagestone.domain.transform_job import DataCapture, DataProcessing, TransformJobSpec

Members = Mapping[str, Any]


def plan_transform(
    request: Members,
    *,
    model: Model,
    name: str,
    deployment: Deployment,
    algorithm_name: str | None = None,
    profile_name: str | None = None,
) -> TransformJobSpec:
    """The job called `name` of a definition that broke no rule.

    `request` has the members of CreateTransformJob (no Tags, no TransformJobName) or of a TransformJobDefinition, and
    ModelName. The job keeps what the model says now: nothing that happens to the model later changes it.
    """
    source, output, client = (
        request["TransformInput"],
        request["TransformOutput"],
        request.get("ModelClientConfig") or {},
    )
    timeout, retries = client.get("InvocationsTimeoutInSeconds"), client.get("InvocationsMaxRetries")
    return TransformJobSpec(
        name=name,
        arn=deployment.arn("transform-job", name),
        role_arn=model.role_arn,
        model_name=model.name,
        containers=model.containers,
        environment=dict(request.get("Environment") or {}),
        algorithm_name=algorithm_name,
        profile_name=profile_name,
        s3_data_type=source["DataSource"]["S3DataSource"]["S3DataType"],
        s3_uri=source["DataSource"]["S3DataSource"]["S3Uri"],
        content_type=source.get("ContentType") or None,
        compression=source.get("CompressionType") or "None",
        split_type=source.get("SplitType") or "None",
        output_uri=output["S3OutputPath"],
        output_kms_key_id=output.get("KmsKeyId") or "",
        accept=output.get("Accept") or None,
        assemble_with=output.get("AssembleWith") or "None",
        batch_strategy=request.get("BatchStrategy") or None,
        max_payload_mb=request.get("MaxPayloadInMB"),
        max_concurrent_transforms=request.get("MaxConcurrentTransforms") or None,
        data_processing=_processing(request.get("DataProcessing") or {}),
        invocations_timeout_seconds=600 if timeout is None else timeout,
        invocations_max_retries=3 if retries is None else retries,
        data_capture=_capture(request.get("DataCaptureConfig")),
        instance_type=request["TransformResources"]["InstanceType"],
        instance_count=request["TransformResources"]["InstanceCount"],
        volume_kms_key_id=request["TransformResources"].get("VolumeKmsKeyId") or "",
        isolated=bool(model.request.get("EnableNetworkIsolation")),
        request=request,
    )


def _processing(given: Members) -> DataProcessing | None:
    """None where nothing is filtered or joined: an empty filter says the same as `$`."""
    asked = DataProcessing(
        input_filter=given.get("InputFilter") or "$",
        join_source=given.get("JoinSource") or "None",
        output_filter=given.get("OutputFilter") or "$",
    )
    return None if asked == DataProcessing() else asked


def _capture(given: Members | None) -> DataCapture | None:
    if not given:
        return None
    return DataCapture(
        destination_uri=given["DestinationS3Uri"],
        generate_inference_id=bool(given.get("GenerateInferenceId")),
        kms_key_id=given.get("KmsKeyId") or "",
    )
