"""KMS keys in SageMaker's requests, by an unmodified boto3: what jobs read and write lies encrypted on the disk.

On the embedded store, and with the store of a second service as another S3 endpoint.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagestone.channels.fuse.mount import complaint, mounts_below
from tests.system.prepared import prepared_service
from tests.system.service import RunningService
from tests.system.test_fast_file import fast_file_request
from tests.system.training import ended, log_of, reaches, train, training_request
from tests.system.validation import BUCKET, job_of, reason, specification, upload, validate

ROWS = b"a row that no disk may show,"
DATA = {
    "sealed/train/a.csv": ROWS * 3000 + b"1\n",
    "sealed/train/b.csv": ROWS + b"2\n",
    "sealed/batch/first.csv": ROWS + b"r1\n" + ROWS + b"r2\n",
}
SOURCE = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/sealed/train/"}
CHANNEL = {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": SOURCE}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, archives: list[str]) -> Iterator[RunningService]:
    """A service whose bucket has a key by default: the tests' data lie encrypted."""
    with prepared_service(tmp_path_factory.mktemp("kms-jobs"), {"SAGESTONE_RUNTIME": "sandbox"}, archives) as made:
        encrypt_by_default(made, new_key(made, "alias/data"))
        upload(made, DATA)
        yield made


def encrypt_by_default(service: RunningService, key: str) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    service.client("s3").put_bucket_encryption(
        Bucket=BUCKET,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )


def new_key(service: RunningService, alias: str) -> str:
    """A key under that alias; its ARN."""
    kms = service.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=alias, TargetKeyId=arn)
    return str(arn)


def key_of(service: RunningService, uri: str) -> str:
    """The KMS key that an object is encrypted with."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return str(service.client("s3").head_object(Bucket=bucket, Key=key)["SSEKMSKeyId"])


def blobs(service: RunningService) -> list[bytes]:
    return [path.read_bytes() for path in (service.home / "s3" / "blobs").rglob("*") if path.is_file()]


def test_a_job_reads_and_writes_what_lies_encrypted(service: RunningService) -> None:
    key = new_key(service, "alias/models")
    names = (key, key.rpartition("/")[2], "alias/models", key.replace(f"key/{key.rpartition('/')[2]}", "alias/models"))
    for number, name in enumerate(names):
        output = {"S3OutputPath": f"s3://{BUCKET}/models", "KmsKeyId": name, "CompressionType": "NONE"}
        request = training_request(f"sealed-{number}", InputDataConfig=[CHANNEL], OutputDataConfig=output)
        shown = train(service, request)
        assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
        assert shown["OutputDataConfig"]["KmsKeyId"] == name
        model = f"s3://{BUCKET}/models/sealed-{number}/output/model/model.csv"
        assert key_of(service, model) == key_of(service, model.replace("model/model.csv", "output/notes")) == key
        found = service.client("s3").get_object(Bucket=BUCKET, Key=model.removeprefix(f"s3://{BUCKET}/"))
        assert found["Body"].read() == b"".join(body for name, body in DATA.items() if "/train/" in name)
    assert not any(ROWS in blob for blob in blobs(service))


def test_a_validation_whose_model_and_results_have_keys(service: RunningService) -> None:
    models, results = new_key(service, "alias/validated"), new_key(service, "alias/results")
    batch = {"DataSource": {"S3DataSource": {**SOURCE, "S3Uri": f"s3://{BUCKET}/sealed/batch/"}}}
    request = specification(
        "hidden", "tests/train:1", "tests/serve:1",
        training={
            "InputDataConfig": [CHANNEL],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models", "KmsKeyId": "alias/validated"},
        },
        transform={
            "TransformInput": {**batch, "ContentType": "text/csv", "SplitType": "Line"},
            "TransformOutput": {
                "S3OutputPath": f"s3://{BUCKET}/sealed-out", "Accept": "text/csv", "AssembleWith": "Line",
                "KmsKeyId": results,
            },
        },
    )  # fmt: skip
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    job = job_of(service, "training", "hidden")
    assert key_of(service, job["ModelArtifacts"]["S3ModelArtifacts"]) == models
    assert key_of(service, f"s3://{BUCKET}/sealed-out/first.csv.out") == results
    found = service.client("s3").get_object(Bucket=BUCKET, Key="sealed-out/first.csv.out")["Body"].read()
    assert found.splitlines() == [ROWS + b"r1;ok", ROWS + b"r2;ok"]
    assert not any(ROWS in blob for blob in blobs(service))


@pytest.mark.parametrize("wrapper", ["None", "RecordIO"])
def test_pipe_mode_sends_what_was_encrypted(service: RunningService, wrapper: str) -> None:
    channel = {**CHANNEL, "InputMode": "Pipe", "RecordWrapperType": wrapper}
    request = training_request(f"pipe-{wrapper}", InputDataConfig=[channel])
    request["AlgorithmSpecification"]["ContainerEntrypoint"] = ["/bin/sh", "-c", "wc -c < /opt/ml/input/data/train_0"]
    shown = train(service, request)
    assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
    sizes = [len(body) for name, body in DATA.items() if "/train/" in name]
    framed = sum(8 + size + -size % 4 for size in sizes)
    expected = sum(sizes) if wrapper == "None" else framed
    assert log_of(service, f"pipe-{wrapper}")[-1].strip() == str(expected)


def test_fast_file_mode_shows_what_was_encrypted(service: RunningService) -> None:
    if (why := complaint()) is not None:
        pytest.skip(f"nothing can be mounted here: {why}")
    request = fast_file_request("fast-sealed")
    profile = request["ValidationSpecification"]["ValidationProfiles"][0]
    profile["TrainingJobDefinition"]["InputDataConfig"] = [CHANNEL]
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    assert mounts_below(service.home) == []


def test_a_key_that_cannot_be_used_is_refused_by_its_field(service: RunningService) -> None:
    kms, sagemaker = service.client("kms"), service.client("sagemaker")
    key = new_key(service, "alias/off")
    kms.disable_key(KeyId=key)
    for member, field, name in (
        ("OutputDataConfig", "KmsKeyId", "alias/off"), ("ResourceConfig", "VolumeKmsKeyId", key),
        ("OutputDataConfig", "KmsKeyId", "alias/none"),
    ):  # fmt: skip
        request = training_request("refused", InputDataConfig=[CHANNEL])
        request[member] = {**request[member], field: name}
        with pytest.raises(ClientError) as caught:
            sagemaker.create_training_job(**request)
        told = str(caught.value)
        assert "ValidationException" in told
        assert f"Value '{name}' at '{member[0].lower()}{member[1:]}.{field[0].lower()}{field[1:]}'" in told
        assert ("is not found" if name == "alias/none" else f"{key} is disabled") in told


def test_a_key_that_goes_off_while_a_job_runs_fails_it_with_a_reason(service: RunningService) -> None:
    key = new_key(service, "alias/late")
    output = {"S3OutputPath": f"s3://{BUCKET}/models", "KmsKeyId": "alias/late"}
    service.client("sagemaker").create_training_job(
        **training_request("late", mode="slow", InputDataConfig=[CHANNEL], OutputDataConfig=output)
    )
    reaches(service, "late", "Training")
    assert_no_root_key(service)
    service.client("kms").disable_key(KeyId=key)
    shown = ended(service, "late")
    assert shown["TrainingJobStatus"] == "Failed"
    assert shown["FailureReason"].startswith("ClientError: Artifact upload failed:s3://")
    assert f"KMS.DisabledException: {key} is disabled." in shown["FailureReason"]


def assert_no_root_key(service: RunningService) -> None:
    """Agents get it on standard input; it is not in what is kept of the jobs that run, nor in any log."""
    root_key = (service.home / "root.key").read_bytes().strip()
    kept = [path for place in ("jobs", "logs") for path in Path(service.home / place).rglob("*") if path.is_file()]
    assert "assignment.json" in {path.name for path in kept}
    for path in (*kept, service.home.parent / "service.log"):
        assert root_key not in path.read_bytes(), path


@pytest.fixture(scope="module")
def elsewhere(
    service: RunningService, tmp_path_factory: pytest.TempPathFactory, archives: list[str]
) -> Iterator[RunningService]:
    """A second service whose objects are in the first one's store, over HTTP."""
    access_key, secret_key = service.keys()
    environment = {
        "SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_S3_ENDPOINT": service.endpoint,
        "SAGESTONE_S3_ACCESS_KEY": access_key, "SAGESTONE_S3_SECRET_KEY": secret_key,
    }  # fmt: skip
    made = RunningService(tmp_path_factory.mktemp("elsewhere") / "home", environment)
    made.start()
    try:
        assert made.command("image", "load", *archives).returncode == 0
        yield made
    finally:
        made.stop()


def test_another_store_gets_the_key_and_encrypts(service: RunningService, elsewhere: RunningService) -> None:
    key = new_key(service, "alias/elsewhere")
    requests: dict[str, Any] = {}
    for name, key_id in (("far", "alias/elsewhere"), ("far-none", "alias/none")):
        output = {"S3OutputPath": f"s3://{BUCKET}/models", "KmsKeyId": key_id}
        requests[name] = training_request(name, InputDataConfig=[CHANNEL], OutputDataConfig=output)
    shown = train(elsewhere, requests["far"])
    assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
    assert key_of(service, shown["ModelArtifacts"]["S3ModelArtifacts"]) == key
    assert not any(ROWS in blob for blob in blobs(service))
    failed = train(elsewhere, requests["far-none"])  # the other store knows its keys: it says so at the upload
    assert failed["TrainingJobStatus"] == "Failed"
    assert "KMS.NotFoundException" in failed["FailureReason"]
