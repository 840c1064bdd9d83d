"""Rules of a training job's channels that depend on how they are read."""

import pytest

from tests.unit.requests import JOB, LEFT_OUT, TRAINING, texts

FAILED = "failed to satisfy constraint"
PLACE = "validationSpecification.validationProfiles.1.member.trainingJobDefinition"
CHANNEL = f"{PLACE}.inputDataConfig.1.member"
GIVEN = f"{JOB}.InputDataConfig.0"
S3 = f"{GIVEN}.DataSource.S3DataSource"
ANY_MODE = (f"{TRAINING}.TrainingChannels.0.SupportedInputModes", LEFT_OUT)
ANY_KIND = (f"{TRAINING}.TrainingChannels.0.SupportedCompressionTypes", LEFT_OUT)
PIPE = (f"{GIVEN}.InputMode", "Pipe")
AUGMENTED = {
    "S3DataType": "AugmentedManifestFile",
    "S3Uri": "s3://data/train.manifest",
    "AttributeNames": ["image-ref", "label"],
}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            f"{GIVEN}.CompressionType",
            "Gzip",
            f"Value 'Gzip' at '{CHANNEL}.compressionType' {FAILED}: Member must be None in input mode File: objects "
            "are decompressed in Pipe mode only",
        ),
        (
            f"{GIVEN}.RecordWrapperType",
            "RecordIO",
            f"Value 'RecordIO' at '{CHANNEL}.recordWrapperType' {FAILED}: Member must be None in input mode File: "
            "objects are wrapped into records in Pipe mode only",
        ),
        (
            S3,
            AUGMENTED,
            f"Value 'AugmentedManifestFile' at '{CHANNEL}.dataSource.s3DataSource.s3DataType' {FAILED}: Member must be "
            "S3Prefix or ManifestFile in input mode File: an augmented manifest is read in Pipe mode only",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_what_only_pipe_mode_does_is_refused_elsewhere(path: str, value: object, expected: str, mode: str) -> None:
    found = texts(ANY_MODE, ANY_KIND, (f"{GIVEN}.InputMode", mode), (path, value))
    assert found == [expected.replace("input mode File", f"input mode {mode}")]


@pytest.mark.parametrize("kind", ["S3Prefix", "ManifestFile"])
def test_fast_file_is_taken_as_a_channels_mode_and_as_the_jobs(kind: str) -> None:
    source = {"S3DataType": kind, "S3Uri": "s3://data/train"}
    assert texts(ANY_MODE, (f"{GIVEN}.InputMode", "FastFile"), (S3, source)) == []
    assert texts(ANY_MODE, (f"{JOB}.TrainingInputMode", "FastFile"), (S3, source)) == []
    declared = (f"{TRAINING}.TrainingChannels.0.SupportedInputModes", ["FastFile"])
    assert texts(declared, (f"{GIVEN}.InputMode", "FastFile")) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{GIVEN}.CompressionType", "Gzip"),
        (f"{GIVEN}.RecordWrapperType", "RecordIO"),
        (f"{GIVEN}.ShuffleConfig", {"Seed": -5}),
        (S3, AUGMENTED),
        (f"{S3}.S3DataDistributionType", "ShardedByS3Key"),
    ],
)
def test_pipe_mode_takes_it_from_the_channel_or_from_the_job(path: str, value: object) -> None:
    assert texts(ANY_MODE, ANY_KIND, PIPE, (path, value)) == []
    assert texts(ANY_MODE, ANY_KIND, (f"{JOB}.TrainingInputMode", "Pipe"), (path, value)) == []


def test_a_channel_s_own_mode_counts_and_not_the_job_s() -> None:
    modes = ((f"{JOB}.TrainingInputMode", "Pipe"), (f"{GIVEN}.InputMode", "File"))
    assert len(texts(ANY_MODE, ANY_KIND, *modes, (f"{GIVEN}.CompressionType", "Gzip"))) == 1
    assert len(texts((f"{TRAINING}.TrainingChannels.0.SupportedInputModes", ["File"]), PIPE)) == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            {**AUGMENTED, "AttributeNames": []},
            f"Value at '{CHANNEL}.dataSource.s3DataSource.attributeNames'",
        ),
        (
            {**AUGMENTED, "S3Uri": "s3://data/train/"},
            f"Value 's3://data/train/' at '{CHANNEL}.dataSource.s3DataSource.s3Uri' {FAILED}: Member must name the "
            "manifest object itself when S3DataType is AugmentedManifestFile",
        ),
    ],
)
def test_an_augmented_manifest_needs_its_attributes_and_an_object(source: dict[str, object], expected: str) -> None:
    (text,) = texts(ANY_MODE, PIPE, (S3, source))
    assert text.replace("Value null at", "Value at").startswith(expected)


@pytest.mark.parametrize("mode", ["File", "FastFile"])
@pytest.mark.parametrize("name", [".", ".."])
def test_a_channel_s_directory_needs_a_name_of_its_own(name: str, mode: str) -> None:
    declared = (f"{TRAINING}.TrainingChannels.0.Name", name)
    named = (f"{GIVEN}.ChannelName", name)
    assert texts(ANY_MODE, declared, named, (f"{GIVEN}.InputMode", mode)) == [
        f"Value '{name}' at '{CHANNEL}.channelName' {FAILED}: Member must be the name of a directory in input mode "
        f"{mode}"
    ]
    assert texts(ANY_MODE, declared, named, PIPE) == []  # `._0` is one


def test_a_directory_must_not_have_the_name_of_a_fifo() -> None:
    def channel(name: str, mode: str) -> dict[str, object]:
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}
        return {"ChannelName": name, "InputMode": mode, "DataSource": source}

    modes = ["File", "Pipe"]
    declared = [
        {"Name": name, "SupportedContentTypes": ["text/csv"], "SupportedInputModes": modes} for name in ("a", "a_7")
    ]

    def said(first: str, second: str) -> list[str]:
        channels = [channel("a", first), channel("a_7", second)]
        return texts((f"{TRAINING}.TrainingChannels", declared), (f"{JOB}.InputDataConfig", channels))

    assert said("Pipe", "File") == [
        f"Value 'a_7' at '{PLACE}.inputDataConfig.2.member.channelName' {FAILED}: Member must not be the name of a "
        "FIFO: channel a has input mode Pipe"
    ]
    assert said("Pipe", "Pipe") == said("File", "File") == []
