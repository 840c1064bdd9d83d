"""The operations of KMS over a real key store: names, states, contexts, refusals, pages."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagestone.wire.errors import ServiceError
from tests.unit.served import Served

ARN = "arn:aws:kms:us-east-1:123456789012"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.store.close()


def kms(served: Served, operation: str, **parameters: Any) -> dict[str, Any]:
    return served.call(operation, parameters, "kms")


def refused(served: Served, operation: str, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        kms(served, operation, **parameters)
    return caught.value.code, caught.value.message


def new_key(served: Served, **parameters: Any) -> str:
    return str(kms(served, "CreateKey", **parameters)["KeyMetadata"]["KeyId"])


def blob(data: bytes) -> str:
    return b64encode(data).decode()


def test_a_key_is_described_under_all_its_names(served: Served) -> None:
    key = new_key(served, Description="of models", Tags=[{"TagKey": "team", "TagValue": "a"}])
    kms(served, "CreateAlias", AliasName="alias/models", TargetKeyId=key)
    names = (key, f"{ARN}:key/{key}", "alias/models", f"{ARN}:alias/models")
    shown, *others = [kms(served, "DescribeKey", KeyId=name)["KeyMetadata"] for name in names]
    assert others == [shown] * 3
    assert shown == {
        "AWSAccountId": "123456789012", "KeyId": key, "Arn": f"{ARN}:key/{key}", "CreationDate": served.now,
        "Enabled": True, "Description": "of models", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
        "Origin": "AWS_KMS", "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": False,
    }  # fmt: skip
    assert kms(served, "ListResourceTags", KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "a"}]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("none", "NotFoundException", "Invalid keyId 'none'"),
        ("alias/none", "NotFoundException", f"Alias {ARN}:alias/none is not found."),
        ("0" * 8 + "-0000" * 3 + "-" + "0" * 12, "NotFoundException", "does not exist"),
        ("arn:aws:kms:eu-west-1:123456789012:key/x", "NotFoundException", "Invalid arn eu-west-1"),
        ("arn:aws:kms:us-east-1:999999999999:key/x", "NotFoundException", "belongs to another account"),
        ("arn:aws:s3:::bucket", "InvalidArnException", "Invalid arn arn:aws:s3:::bucket"),
        ("../../etc/passwd", "NotFoundException", "Invalid keyId"),
    ],
)
def test_names_of_no_key(served: Served, name: str, code: str, message: str) -> None:
    for operation, others in (("DescribeKey", {}), ("Encrypt", {"Plaintext": blob(b"x")})):
        found = refused(served, operation, KeyId=name, **others)
        assert found[0] == code
        assert message in found[1]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"KeySpec": "RSA_2048"}, "KeySpec RSA_2048 is not supported yet: only SYMMETRIC_DEFAULT is served here"),
        ({"KeyUsage": "SIGN_VERIFY"}, "KeyUsage SIGN_VERIFY"),
        ({"Origin": "EXTERNAL"}, "Origin EXTERNAL"),
        ({"MultiRegion": True}, "MultiRegion True is not supported yet: only false is served here"),
        ({"CustomKeyStoreId": "cks-1"}, "CustomKeyStoreId"),
        ({"Policy": '{"Statement": []}'}, "Policy is not supported yet"),
        ({"Policy": "[" * 30_000}, "Policy is not supported yet"),
    ],
)
def test_other_kinds_of_keys_are_refused_by_name(served: Served, asked: dict[str, Any], told: str) -> None:
    code, message = refused(served, "CreateKey", **asked)
    assert code == "UnsupportedOperationException"
    assert told in message


def test_the_default_policy_is_one_that_may_be_given(served: Served) -> None:
    key = new_key(served)
    policy = kms(served, "GetKeyPolicy", KeyId=key)["Policy"]
    assert new_key(served, Policy=policy, KeySpec="SYMMETRIC_DEFAULT", MultiRegion=False) != key
    assert kms(served, "ListKeyPolicies", KeyId=key)["PolicyNames"] == ["default"]
    assert kms(served, "GetKeyRotationStatus", KeyId=key)["KeyRotationEnabled"] is False


def test_what_is_encrypted_comes_back_in_its_context_only(served: Served) -> None:
    key, other = new_key(served), new_key(served)
    context = {"job": "a", "part": "1"}
    sealed = kms(served, "Encrypt", KeyId=key, Plaintext=blob(b"secret"), EncryptionContext=context)
    assert sealed["KeyId"] == f"{ARN}:key/{key}"
    assert b"secret" not in b64decode(sealed["CiphertextBlob"])
    opened = kms(served, "Decrypt", CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    assert opened == {
        "KeyId": f"{ARN}:key/{key}", "Plaintext": blob(b"secret"), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }  # fmt: skip
    changed = bytearray(b64decode(sealed["CiphertextBlob"]))
    changed[-1] ^= 1
    for bad in (
        {"CiphertextBlob": sealed["CiphertextBlob"]},
        {"CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": {**context, "part": "2"}},
        {"CiphertextBlob": blob(bytes(changed)), "EncryptionContext": context},
        {"CiphertextBlob": blob(b"of something else"), "EncryptionContext": context},
    ):
        assert refused(served, "Decrypt", **bad) == ("InvalidCiphertextException", "")
    code, _ = refused(
        served, "Decrypt", CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context, KeyId=other
    )
    assert code == "IncorrectKeyException"
    moved = kms(
        served, "ReEncrypt", CiphertextBlob=sealed["CiphertextBlob"], SourceEncryptionContext=context,
        DestinationKeyId=other,
    )  # fmt: skip
    assert (moved["SourceKeyId"], moved["KeyId"]) == (f"{ARN}:key/{key}", f"{ARN}:key/{other}")
    assert kms(served, "Decrypt", CiphertextBlob=moved["CiphertextBlob"], KeyId=other)["Plaintext"] == blob(b"secret")


def test_a_data_key_comes_in_the_clear_and_sealed(served: Served) -> None:
    key = new_key(served)
    sizes: tuple[tuple[dict[str, Any], int], ...] = (
        ({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 64}, 64),
    )  # fmt: skip
    for asked, size in sizes:
        made = kms(served, "GenerateDataKey", KeyId=key, **asked)
        assert len(b64decode(made["Plaintext"])) == size
        assert kms(served, "Decrypt", CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
    assert "Plaintext" not in kms(served, "GenerateDataKeyWithoutPlaintext", KeyId=key, KeySpec="AES_256")
    for wrong in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 32}):
        assert refused(served, "GenerateDataKey", KeyId=key, **wrong) == (
            "ValidationException", "Please specify either number of bytes or key spec.",
        )  # fmt: skip
    assert len(b64decode(kms(served, "GenerateRandom", NumberOfBytes=24)["Plaintext"])) == 24


def test_a_key_that_is_not_enabled_does_nothing(served: Served) -> None:
    key = new_key(served)
    arn = f"{ARN}:key/{key}"
    sealed = kms(served, "Encrypt", KeyId=key, Plaintext=blob(b"x"))["CiphertextBlob"]
    uses: tuple[tuple[str, dict[str, Any]], ...] = (
        ("Encrypt", {"KeyId": key, "Plaintext": blob(b"x")}),
        ("GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256"}),
        ("Decrypt", {"CiphertextBlob": sealed}),
    )
    kms(served, "DisableKey", KeyId=key)
    assert kms(served, "DescribeKey", KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    for operation, parameters in uses:
        assert refused(served, operation, **parameters) == ("DisabledException", f"{arn} is disabled.")
    kms(served, "EnableKey", KeyId=arn)
    assert kms(served, "Decrypt", CiphertextBlob=sealed)["Plaintext"] == blob(b"x")
    gone = kms(served, "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    assert (gone["KeyState"], gone["DeletionDate"]) == ("PendingDeletion", served.now + 7 * 86400)
    for operation, parameters in (*uses, ("EnableKey", {"KeyId": key}), ("DisableKey", {"KeyId": key})):
        assert refused(served, operation, **parameters) == ("KMSInvalidStateException", f"{arn} is pending deletion.")
    kms(served, "CancelKeyDeletion", KeyId=key)
    kms(served, "EnableKey", KeyId=key)
    assert kms(served, "Decrypt", CiphertextBlob=sealed)["Plaintext"] == blob(b"x")
    kms(served, "ScheduleKeyDeletion", KeyId=key)
    served.now += 30 * 86400
    assert refused(served, "Decrypt", CiphertextBlob=sealed)[0] == "NotFoundException"
    assert refused(served, "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=31)[0] == "ValidationException"


def test_aliases_are_given_moved_and_taken_away(served: Served) -> None:
    first, second = new_key(served), new_key(served)
    kms(served, "CreateAlias", AliasName="alias/a/b", TargetKeyId=first)
    assert refused(served, "CreateAlias", AliasName="alias/a/b", TargetKeyId=second) == (
        "AlreadyExistsException", f"An alias with the name {ARN}:alias/a/b already exists",
    )  # fmt: skip
    served.now += 5
    kms(served, "UpdateAlias", AliasName="alias/a/b", TargetKeyId=second)
    (shown,) = kms(served, "ListAliases", KeyId=second)["Aliases"]
    assert shown == {
        "AliasName": "alias/a/b", "AliasArn": f"{ARN}:alias/a/b", "TargetKeyId": second,
        "CreationDate": served.now - 5, "LastUpdatedDate": served.now,
    }  # fmt: skip
    assert kms(served, "ListAliases", KeyId=first)["Aliases"] == []
    kms(served, "DeleteAlias", AliasName="alias/a/b")
    for operation, others in (("DeleteAlias", {}), ("UpdateAlias", {"TargetKeyId": first})):
        assert refused(served, operation, AliasName="alias/a/b", **others)[0] == "NotFoundException"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("models", "ValidationException"), ("alias/", "ValidationException"), ("alias/a:b", "ValidationException"),
        ("alias/aws/mine", "NotAuthorizedException"),
    ],
)  # fmt: skip
def test_names_that_no_alias_may_have(served: Served, name: str, code: str) -> None:
    assert refused(served, "CreateAlias", AliasName=name, TargetKeyId=new_key(served))[0] == code


def test_the_keys_of_aws_are_there_and_stay_as_they_are(served: Served) -> None:
    names = {each["AliasName"] for each in kms(served, "ListAliases")["Aliases"]}
    assert names == {"alias/aws/s3", "alias/aws/ebs"}
    shown = kms(served, "DescribeKey", KeyId="alias/aws/s3")["KeyMetadata"]
    assert shown["KeyManager"] == "AWS"
    for operation in ("DisableKey", "ScheduleKeyDeletion"):
        assert refused(served, operation, KeyId=shown["KeyId"])[0] == "AccessDeniedException"
        assert refused(served, operation, KeyId="alias/aws/s3")[0] == "ValidationException"


def test_lists_come_in_pages(served: Served) -> None:
    made = {new_key(served) for _ in range(5)}
    found: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = kms(served, "ListKeys", Limit=2, **marker)
        assert len(page["Keys"]) <= 2
        found += [each["KeyId"] for each in page["Keys"]]
        if not page["Truncated"]:
            break
        marker = {"Marker": page["NextMarker"]}
    assert len(found) == len(set(found)) == 7
    assert made < set(found)
    assert refused(served, "ListKeys", Marker="mine")[0] == "InvalidMarkerException"


def test_tags_are_added_and_taken_away(served: Served) -> None:
    key = new_key(served)
    kms(served, "TagResource", KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}])
    kms(served, "UntagResource", KeyId=key, TagKeys=["a", "none"])
    assert kms(served, "ListResourceTags", KeyId=key)["Tags"] == [{"TagKey": "b", "TagValue": "2"}]
    twice = [{"TagKey": "a", "TagValue": "1"}] * 2
    assert refused(served, "TagResource", KeyId=key, Tags=twice)[0] == "TagException"


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("Encrypt", {"Plaintext": blob(bytes(4097))}, "ValidationException"),
        ("Encrypt", {"Plaintext": ""}, "ValidationException"),
        ("Encrypt", {"Plaintext": blob(b"x"), "GrantTokens": ["t"]}, "InvalidGrantTokenException"),
        ("Encrypt", {"Plaintext": blob(b"x"), "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}, "InvalidKeyUsageException"),
        ("Encrypt", {"Plaintext": blob(b"x"), "DryRun": True}, "DryRunOperationException"),
        ("GenerateDataKey", {"KeySpec": "AES_256", "Recipient": {"AttestationDocument": blob(b"x")}},
         "UnsupportedOperationException"),
    ],
)  # fmt: skip
def test_what_is_not_done_is_refused(served: Served, operation: str, asked: dict[str, Any], code: str) -> None:
    assert refused(served, operation, KeyId=new_key(served), **asked)[0] == code
