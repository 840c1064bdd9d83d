"""KMS on the same endpoint, by an unmodified boto3; and what becomes of the keys when the service starts again."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.system.service import RunningService


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    made = RunningService(tmp_path_factory.mktemp("kms") / "home", {"SAGESTONE_RUNTIME": "sandbox"})
    made.start()
    yield made
    made.stop()


def test_the_life_of_a_key(service: RunningService) -> None:
    kms = service.client("kms")
    key = kms.create_key(Description="mine", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    assert key["Arn"] == f"arn:aws:kms:us-east-1:123456789012:key/{key['KeyId']}"
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    assert kms.describe_key(KeyId="alias/mine")["KeyMetadata"] == key
    context = {"of": "a job"}
    blob = kms.encrypt(KeyId="alias/mine", Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"secret"
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=blob)
    made = kms.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256")
    assert len(made["Plaintext"]) == 32
    kms.disable_key(KeyId=key["KeyId"])
    with pytest.raises(kms.exceptions.DisabledException, match="is disabled"):
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"])
    kms.enable_key(KeyId=key["KeyId"])
    service.stop()
    service.start()
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["KeyId"] == key["Arn"]
    with pytest.raises(kms.exceptions.AlreadyExistsException):
        kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId="alias/none")


def test_paginators_and_what_terraform_asks(service: RunningService) -> None:
    kms = service.client("kms")
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(3)}
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["Keys"]) <= 2 for page in pages)
    assert made <= {key["KeyId"] for page in pages for key in page["Keys"]}
    names = [each["AliasName"] for page in kms.get_paginator("list_aliases").paginate() for each in page["Aliases"]]
    assert {"alias/aws/s3", "alias/aws/ebs"} <= set(names)
    key = made.pop()
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    assert "kms:*" in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    with pytest.raises(ClientError, match=r"KeySpec RSA_2048 is not supported yet"):
        kms.create_key(KeySpec="RSA_2048")
    with pytest.raises(ClientError) as caught:
        kms.create_grant(KeyId=key, GranteePrincipal="arn:aws:iam::123456789012:role/r", Operations=["Decrypt"])
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


def test_the_root_key_lies_apart_and_is_missed(tmp_path: Path) -> None:
    root_key = tmp_path / "stick" / "root.key"
    service = RunningService(
        tmp_path / "home", {"SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_KMS_ROOT_KEY": str(root_key)}
    )
    service.start()
    blob = service.client("kms").encrypt(KeyId="alias/aws/s3", Plaintext=b"secret")["CiphertextBlob"]
    service.stop()
    assert stat.S_IMODE(root_key.stat().st_mode) == 0o600
    assert not (service.home / "root.key").exists()
    kept = root_key.read_bytes()
    for spoilt in (None, b"00" * 32):
        root_key.unlink()
        if spoilt is not None:
            root_key.write_bytes(spoilt)
            root_key.chmod(0o600)
        ended = service.command("up", "--listen", "127.0.0.1:0")
        assert ended.returncode == 3
        assert "cannot be used" in ended.stderr
        root_key.write_bytes(kept)
        root_key.chmod(0o600)
    service.start()
    try:
        assert service.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    finally:
        service.stop()
