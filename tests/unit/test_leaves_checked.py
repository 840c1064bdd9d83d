"""The leaves of DescribeAlgorithm one by one, as a request gives them: a bad value is refused, by a text that names it.

The numbers are those of the 99 leaves that boto3's page of describe_algorithm ends in. What a leaf changes when it is
right is shown by system tests; that it is given back, by test_leaves_kept.
"""

from pathlib import Path
from typing import Any

import pytest

from sagestone.operations.own.explain import explain
from sagestone.settings import Settings
from tests.unit.requests import JOB, PROFILE, TRAINING, TRANSFORM, changed

SPECIFIED = f"{TRAINING}.SupportedHyperParameters"
CHANNEL = f"{TRAINING}.TrainingChannels.0"
CONTAINER = "InferenceSpecification.Containers.0"
INPUT = f"{JOB}.InputDataConfig.0"
S3 = f"{INPUT}.DataSource.S3DataSource"
RESOURCES = f"{JOB}.ResourceConfig"
FILE_SYSTEM = {
    "FileSystemId": "fs-0123456789abcdef0", "FileSystemAccessMode": "ro", "FileSystemType": "EFS",
    "DirectoryPath": "/x",
}  # fmt: skip
GROUP: dict[str, Any] = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "a"}

CASES: list[tuple[int, str, Any, str]] = [
    (1, "AlgorithmName", "-trees-", "algorithmName"),
    (3, "AlgorithmDescription", "x" * 1025, "algorithmDescription"),
    (5, f"{TRAINING}.TrainingImage", "two words", "trainingImage"),
    (6, f"{TRAINING}.TrainingImageDigest", "md5:12", "trainingImageDigest"),
    (7, f"{SPECIFIED}.1.Name", "depth", "depth"),
    (8, f"{SPECIFIED}.0.Description", "\u0007", "description"),
    (9, f"{SPECIFIED}.0.Type", "Whole", "type"),
    (10, f"{SPECIFIED}.0.Range.IntegerParameterRangeSpecification.MinValue", "11", "MinValue"),
    (11, f"{SPECIFIED}.0.Range.IntegerParameterRangeSpecification.MaxValue", "many", "MaxValue"),
    (12, f"{SPECIFIED}.1.Range.ContinuousParameterRangeSpecification.MinValue", "2.0", "MinValue"),
    (13, f"{SPECIFIED}.1.Range.ContinuousParameterRangeSpecification.MaxValue", "x", "MaxValue"),
    (14, f"{SPECIFIED}.2.Range.CategoricalParameterRangeSpecification.Values", [], "values"),
    (15, f"{SPECIFIED}.0.IsTunable", "maybe", "isTunable"),
    (16, f"{JOB}.HyperParameters", {"depth": "3"}, "rate"),
    (17, f"{SPECIFIED}.0.DefaultValue", "11", "DefaultValue"),
    (18, f"{TRAINING}.SupportedTrainingInstanceTypes", ["ml.m5.xlarge"], "ml.m5.large"),
    (19, f"{RESOURCES}.InstanceCount", 2, "SupportsDistributedTraining"),
    (20, f"{TRAINING}.MetricDefinitions.0.Name", "loss", "validation:accuracy"),
    (21, f"{TRAINING}.MetricDefinitions.0.Regex", "accuracy: [0-9.]+", "group"),
    (22, f"{CHANNEL}.Name", "other", "train"),
    (23, f"{CHANNEL}.Description", "x" * 1025, "description"),
    (24, f"{TRAINING}.TrainingChannels.1.IsRequired", True, "validation"),
    (25, f"{CHANNEL}.SupportedContentTypes", ["text/plain"], "text/csv"),
    (26, f"{INPUT}.CompressionType", "Zip", "compressionType"),
    (27, f"{CHANNEL}.SupportedInputModes", ["Pipe"], "File"),
    (28, f"{TRAINING}.SupportedTuningJobObjectiveMetrics.0.Type", "Best", "type"),
    (29, f"{TRAINING}.SupportedTuningJobObjectiveMetrics.0.MetricName", "loss", "loss"),
    (30, f"{CONTAINER}.ContainerHostname", "two.names", "containerHostname"),
    (31, f"{CONTAINER}.Image", "two words", "image"),
    (32, f"{CONTAINER}.ImageDigest", "sha256", "imageDigest"),
    (33, f"{CONTAINER}.ModelDataUrl", "ftp://x/model.tar.gz", "odelDataUrl"),
    (34, f"{CONTAINER}.ProductId", "-", "productId"),
    (35, f"{CONTAINER}.Environment", {"1": "x"}, "environment"),
    (36, f"{CONTAINER}.ModelInput", {"DataInputConfig": "{"}, "DataInputConfig"),
    (37, f"{CONTAINER}.Framework", 7, "framework"),
    (38, f"{CONTAINER}.FrameworkVersion", "x", "frameworkVersion"),
    (39, f"{CONTAINER}.NearestModelName", {}, "nearestModelName"),
    (40, "InferenceSpecification.SupportedTransformInstanceTypes", ["ml.m5.xlarge"], "ml.m5.large"),
    (41, "InferenceSpecification.SupportedRealtimeInferenceInstanceTypes", ["ml.m1"], "RealtimeInferenceInstanceTypes"),
    (42, "InferenceSpecification.SupportedContentTypes", ["text/plain"], "text/csv"),
    (43, "InferenceSpecification.SupportedResponseMIMETypes", ["text/plain"], "text/csv"),
    (44, "ValidationSpecification.ValidationRole", "Validation", "validationRole"),
    (45, f"{PROFILE}.ProfileName", "my profile", "profileName"),
    (46, f"{JOB}.TrainingInputMode", "Tape", "trainingInputMode"),
    (47, f"{JOB}.HyperParameters", {"rate": "0.5", "colour": "red"}, "colour"),
    (48, f"{INPUT}.ChannelName", "nobody", "nobody"),
    (49, f"{S3}.S3DataType", "Everything", "s3DataType"),
    (50, f"{S3}.S3Uri", "ftp://data/train", "s3Uri"),
    (51, f"{S3}.S3DataDistributionType", "Sharded", "s3DataDistributionType"),
    (52, f"{S3}.AttributeNames", ["x" * 300], "attributeNames"),
    (53, f"{S3}.InstanceGroupNames", ["nobody"], "nobody"),
    (54, f"{INPUT}.DataSource", {"FileSystemDataSource": FILE_SYSTEM | {"FileSystemId": "x"}}, "fileSystemId"),
    (55, f"{INPUT}.DataSource", {"FileSystemDataSource": FILE_SYSTEM | {"FileSystemAccessMode": "x"}}, "AccessMode"),
    (56, f"{INPUT}.DataSource", {"FileSystemDataSource": FILE_SYSTEM | {"FileSystemType": "x"}}, "fileSystemType"),
    (57, f"{INPUT}.DataSource", {"FileSystemDataSource": FILE_SYSTEM | {"DirectoryPath": "x" * 5000}}, "directoryPath"),
    (58, f"{INPUT}.ContentType", "text/plain", "text/plain"),
    (59, f"{INPUT}.CompressionType", "Bzip2", "compressionType"),
    (60, f"{INPUT}.RecordWrapperType", "Envelope", "recordWrapperType"),
    (61, f"{INPUT}.InputMode", "FastFile", "FastFile"),
    (62, f"{INPUT}.ShuffleConfig", {"Seed": "x"}, "seed"),
    (63, f"{JOB}.OutputDataConfig.KmsKeyId", "key", "KmsKeyId"),
    (64, f"{JOB}.OutputDataConfig.S3OutputPath", "/models", "s3OutputPath"),
    (65, f"{RESOURCES}.InstanceType", "ml.m5.2xlarge", "ml.m5.2xlarge"),
    (66, f"{RESOURCES}.InstanceCount", -1, "instanceCount"),
    (67, f"{RESOURCES}.VolumeSizeInGB", -1, "volumeSizeInGB"),
    (68, f"{RESOURCES}.VolumeKmsKeyId", "key", "VolumeKmsKeyId"),
    (69, f"{RESOURCES}.InstanceGroups", [GROUP | {"InstanceType": "x"}], "instanceType"),
    (70, f"{RESOURCES}.InstanceGroups", [GROUP | {"InstanceCount": -1}], "instanceCount"),
    (71, f"{RESOURCES}.InstanceGroups", [GROUP | {"InstanceGroupName": ""}], "instanceGroupName"),
    (72, f"{RESOURCES}.KeepAlivePeriodInSeconds", 10**6, "keepAlivePeriodInSeconds"),
    (73, f"{JOB}.StoppingCondition.MaxRuntimeInSeconds", 0, "maxRuntimeInSeconds"),
    (74, f"{JOB}.StoppingCondition.MaxWaitTimeInSeconds", 1, "MaxWaitTimeInSeconds"),
    (75, f"{TRANSFORM}.MaxConcurrentTransforms", 17, "MaxConcurrentTransforms"),
    (76, f"{TRANSFORM}.MaxPayloadInMB", 101, "maxPayloadInMB"),
    (77, f"{TRANSFORM}.BatchStrategy", "Some", "batchStrategy"),
    (78, f"{TRANSFORM}.Environment", {"1": "x"}, "environment"),
    (79, f"{TRANSFORM}.TransformInput.DataSource.S3DataSource.S3DataType", "AugmentedManifestFile", "S3DataType"),
    (80, f"{TRANSFORM}.TransformInput.DataSource.S3DataSource.S3Uri", "data", "s3Uri"),
    (81, f"{TRANSFORM}.TransformInput.ContentType", "text/plain", "text/plain"),
    (82, f"{TRANSFORM}.TransformInput.CompressionType", "Zip", "compressionType"),
    (83, f"{TRANSFORM}.TransformInput.SplitType", "Word", "splitType"),
    (84, f"{TRANSFORM}.TransformOutput.S3OutputPath", "out", "s3OutputPath"),
    (85, f"{TRANSFORM}.TransformOutput.Accept", "text/plain", "text/plain"),
    (86, f"{TRANSFORM}.TransformOutput.AssembleWith", "Glue", "assembleWith"),
    (87, f"{TRANSFORM}.TransformOutput.KmsKeyId", "key", "KmsKeyId"),
    (88, f"{TRANSFORM}.TransformResources.InstanceType", "ml.m5.xlarge", "ml.m5.xlarge"),
    (89, f"{TRANSFORM}.TransformResources.InstanceCount", 0, "instanceCount"),
    (90, f"{TRANSFORM}.TransformResources.VolumeKmsKeyId", "key", "VolumeKmsKeyId"),
    (99, "CertifyForMarketplace", True, "CertifyForMarketplace"),
]  # fmt: skip

#: Leaves that no request gives: the service makes them.
MADE = {2, 4, 91, 92, 93, 94, 95, 96, 97, 98}


@pytest.mark.parametrize(("number", "path", "value", "word"), CASES, ids=[f"leaf-{case[0]}" for case in CASES])
def test_a_bad_value_is_refused_by_name(number: int, path: str, value: Any, word: str, tmp_path: Path) -> None:
    changes = [(path, value)]
    if number == 19:
        changes.append((f"{TRAINING}.SupportsDistributedTraining", False))
    violations = explain(Settings(home=tmp_path), changed(*changes))["violations"]
    assert violations, f"leaf {number} takes {value!r}"
    assert any(word.lower() in text.lower() for text in violations), violations


def test_every_leaf_is_here() -> None:
    assert sorted({case[0] for case in CASES} | MADE) == list(range(1, 100))
