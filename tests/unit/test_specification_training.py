"""Rules of metrics and channels, and of a profile's training job."""

import pytest

from tests.unit.requests import JOB, LEFT_OUT, TRAINING, texts

FAILED = "failed to satisfy constraint"
PLACE = "validationSpecification.validationProfiles.1.member.trainingJobDefinition"
CHANNEL = f"{PLACE}.inputDataConfig.1.member"
SOURCE = f"{JOB}.InputDataConfig.0.DataSource"
S3 = f"{SOURCE}.S3DataSource"
LATER = "Member is not supported yet"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            f"{TRAINING}.MetricDefinitions.1",
            {"Name": "validation:accuracy", "Regex": "(.)"},
            f"Value 'validation:accuracy' at 'trainingSpecification.metricDefinitions.2.member.name' {FAILED}: Member "
            "must be unique: trainingSpecification.metricDefinitions.1.member.name is the same metric name",
        ),
        (
            f"{TRAINING}.MetricDefinitions.0.Regex",
            "accuracy: ([0-9.+",
            f"Value 'accuracy: ([0-9.+' at 'trainingSpecification.metricDefinitions.1.member.regex' {FAILED}: Member "
            "must be a regular expression that compiles: unterminated character set at position 17",
        ),
        (
            f"{TRAINING}.MetricDefinitions.0.Regex",
            "accuracy",
            f"Value 'accuracy' at 'trainingSpecification.metricDefinitions.1.member.regex' {FAILED}: Member must have "
            "a group in parentheses that catches the value, such as loss=([0-9.]+)",
        ),
        (
            f"{TRAINING}.SupportedTuningJobObjectiveMetrics.0.MetricName",
            "loss",
            f"Value 'loss' at 'trainingSpecification.supportedTuningJobObjectiveMetrics.1.member.metricName' {FAILED}: "
            "Member must be the name of one of the MetricDefinitions: [validation:accuracy]",
        ),
        (
            f"{TRAINING}.TrainingChannels.1.Name",
            "train",
            f"Value 'train' at 'trainingSpecification.trainingChannels.2.member.name' {FAILED}: Member must be unique: "
            "trainingSpecification.trainingChannels.1.member.name is the same channel name",
        ),
        (
            f"{TRAINING}.TrainingChannels.1.IsRequired",
            True,
            f"Value null at '{PLACE}.inputDataConfig' {FAILED}: Member must have a channel named validation: the "
            "specification requires it",
        ),
        (
            f"{TRAINING}.AdditionalS3DataSource",
            {"S3DataType": "S3Object", "S3Uri": "s3://data/weights.tar.gz"},
            f"Value at 'trainingSpecification.additionalS3DataSource' {FAILED}: {LATER}: the training job cannot be "
            "given an additional data source; use a channel",
        ),
        (
            f"{JOB}.InputDataConfig.0.ContentType",
            "text/plain",
            f"Value 'text/plain' at '{CHANNEL}.contentType' {FAILED}: Member must be a content type that channel train "
            "supports: [text/csv]",
        ),
        (
            f"{TRAINING}.TrainingChannels.0.SupportedCompressionTypes",
            ["Gzip"],
            f"Value null at '{CHANNEL}.compressionType' {FAILED}: Member must be a compression that channel train "
            "supports: [Gzip]",
        ),
        (
            f"{TRAINING}.TrainingChannels.0.SupportedInputModes",
            ["Pipe"],
            f"Value 'File' at '{PLACE}.trainingInputMode' {FAILED}: Member must be an input mode that channel train "
            "supports: [Pipe]",
        ),
        (
            SOURCE,
            {},
            f"Value null at '{CHANNEL}.dataSource.s3DataSource' {FAILED}: Member must not be null: a channel needs a "
            "data source",
        ),
        (
            SOURCE,
            {"DatasetSource": {"DatasetArn": "arn:aws:sagemaker:us-east-1:aws:hub-content/h/DataSet/d"}},
            f"Value at '{CHANNEL}.dataSource.datasetSource' {FAILED}: {LATER}: there is no hub with data sets here; "
            "use an S3DataSource",
        ),
        (
            f"{S3}.S3DataType",
            "ManifestFile",
            f"Value 's3://data/train/' at '{CHANNEL}.dataSource.s3DataSource.s3Uri' {FAILED}: Member must name the "
            "manifest object itself when S3DataType is ManifestFile",
        ),
    ],
)
def test_refused_with_its_own_message(path: str, value: object, expected: str) -> None:
    assert texts((path, value)) == [expected]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{S3}.AttributeNames", ["label"]),
        (f"{S3}.S3DataDistributionType", "ShardedByS3Key"),
        (f"{JOB}.InputDataConfig.0.ShuffleConfig", {"Seed": 7}),
        (f"{JOB}.InputDataConfig.0.ContentType", LEFT_OUT),
        (f"{TRAINING}.TrainingChannels.0.SupportedContentTypes", []),
        (f"{TRAINING}.TrainingChannels.0.SupportedContentTypes", ["s3", "csv", "text/csv"]),
        (f"{TRAINING}.MetricDefinitions.0.Regex", r".*\[[0-9]+\].*#011validation-rmse:(\S+)"),
    ],
)
def test_accepted_as_the_service_accepts_it(path: str, value: object) -> None:
    assert texts((path, value)) == []


def test_channels_that_all_say_file_make_another_default_mode_harmless() -> None:
    assert texts((f"{JOB}.TrainingInputMode", "FastFile"), (f"{JOB}.InputDataConfig.0.InputMode", "File")) == []


def test_an_unknown_channel_is_named_with_those_there_are() -> None:
    channel = {"ChannelName": "test", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}}
    assert texts((f"{JOB}.InputDataConfig.1", channel)) == [
        f"Value 'test' at '{PLACE}.inputDataConfig.2.member.channelName' {FAILED}: Member must be a channel of the "
        "specification: [train, validation]"
    ]


def test_an_additional_source_is_kept_where_no_job_would_need_it() -> None:
    source = {"S3DataType": "S3Object", "S3Uri": "s3://data/weights.tar.gz"}
    assert texts((f"{TRAINING}.AdditionalS3DataSource", source), ("ValidationSpecification", LEFT_OUT)) == []


def test_every_violation_is_told_at_once() -> None:
    assert len(texts((f"{JOB}.TrainingInputMode", "FastFile"), (f"{S3}.S3DataType", "Converse"))) == 2
