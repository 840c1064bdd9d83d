"""STS and IAM on the same endpoint, by an unmodified boto3, and what temporary credentials are good for."""

from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.system.service import REGION, RunningService
from tests.system.validation import BUCKET

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/Trainer"


def refused(call: Any, **parameters: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def session(service: RunningService, credentials: dict[str, Any]) -> Any:
    """A boto3 session of an assumed role."""
    made = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=REGION,
    )
    return lambda name: made.client(name, endpoint_url=service.endpoint)


def test_the_services_own_keys_are_a_users(sandbox_service: RunningService) -> None:
    identity = sandbox_service.client("sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/sagestone")
    assert identity["UserId"].startswith("AIDA")


def test_an_assumed_role_uses_every_service_under_its_name(sandbox_service: RunningService) -> None:
    assumed = sandbox_service.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me", DurationSeconds=900)
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/Trainer/me"
    assert assumed["AssumedRoleUser"]["Arn"] == arn
    client = session(sandbox_service, assumed["Credentials"])
    identity = client("sts").get_caller_identity()
    assert (identity["Arn"], identity["UserId"]) == (arn, assumed["AssumedRoleUser"]["AssumedRoleId"])
    assert "AlgorithmSummaryList" in client("sagemaker").list_algorithms()
    s3 = client("s3")
    s3.put_object(Bucket=BUCKET, Key="by-role", Body=b"x")
    assert s3.get_object(Bucket=BUCKET, Key="by-role")["Body"].read() == b"x"
    for version in ("s3v4", "s3"):
        url = _presigned(sandbox_service, assumed["Credentials"], version)
        assert _fetch(url) == b"x"


@pytest.mark.parametrize("temporary", [False, True])
def test_who_one_is_can_be_asked_by_a_presigned_url(sandbox_service: RunningService, temporary: bool) -> None:
    client = sandbox_service.client("sts")
    expected = f"arn:aws:iam::{ACCOUNT}:user/sagestone"
    if temporary:
        assumed = client.assume_role(RoleArn=ROLE, RoleSessionName="me", DurationSeconds=900)
        client, expected = session(sandbox_service, assumed["Credentials"])("sts"), assumed["AssumedRoleUser"]["Arn"]
    url = client.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert expected in _fetch(url).decode()
    with pytest.raises(HTTPError, match="403"):
        _fetch(url.replace("GetCallerIdentity", "GetSessionToken"))


def test_a_token_of_nobody_is_refused_everywhere(sandbox_service: RunningService) -> None:
    access_key, secret_key = sandbox_service.keys()
    false = {"AccessKeyId": access_key, "SecretAccessKey": secret_key, "SessionToken": "of-my-own"}
    client = session(sandbox_service, false)
    assert refused(client("sts").get_caller_identity)[::2] == ("InvalidClientTokenId", 403)
    assert refused(client("sagemaker").list_algorithms)[::2] == ("UnrecognizedClientException", 400)
    assert refused(client("s3").list_buckets)[::2] == ("InvalidToken", 400)
    wrong = session(sandbox_service, {**false, "SecretAccessKey": "wrong", "SessionToken": None})
    assert refused(wrong("sts").get_caller_identity)[::2] == ("SignatureDoesNotMatch", 403)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:user/someone"}, "expected arn:aws:iam::ACCOUNT:role/NAME"),
        ({"RoleArn": "arn:aws:iam::999999999999:role/r"}, "is a role of another account"),
        ({"DurationSeconds": 43201}, "Member must have value less than or equal to 43200"),
        ({"Policy": "{}"}, "Policy is not supported yet: there are no session policies here"),
        ({"RoleSessionName": "with space"}, "Member must satisfy regular expression pattern"),
    ],
)
def test_roles_that_cannot_be_assumed(sandbox_service: RunningService, changes: dict[str, Any], told: str) -> None:
    request = {"RoleArn": ROLE, "RoleSessionName": "me", **changes}
    code, message, status = refused(sandbox_service.client("sts").assume_role, **request)
    assert (code, status) == ("ValidationError", 400)
    assert told in message


def test_every_role_exists_and_may_do_everything(sandbox_service: RunningService) -> None:
    iam = sandbox_service.client("iam")
    role = iam.get_role(RoleName="Trainer")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/Trainer"
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role["Arn"], ActionNames=["s3:GetObject", "sagemaker:CreateModel"]
    )
    found = [each for page in pages for each in page["EvaluationResults"]]
    assert [(each["EvalActionName"], each["EvalDecision"]) for each in found] == [
        ("s3:GetObject", "allowed"), ("sagemaker:CreateModel", "allowed"),
    ]  # fmt: skip


def test_other_operations_and_services_are_named(sandbox_service: RunningService) -> None:
    code, message, _ = refused(sandbox_service.client("iam").list_roles)
    assert (code, message) == ("InvalidAction", "ListRoles is no operation of iam that Sagestone serves.")
    code, message, _ = refused(sandbox_service.client("sns").list_topics)
    assert code == "InvalidAction"
    assert (
        message
        == "The service 'sns' is not served here, only iam, kms, logs, monitoring, s3, sagemaker, sagestone, sts."
    )


def _presigned(service: RunningService, credentials: dict[str, Any], version: str) -> str:
    from botocore.config import Config

    s3 = boto3.client(
        "s3",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=REGION,
        endpoint_url=service.endpoint,
        config=Config(signature_version=version),
    )
    return str(s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "by-role"}))


def _fetch(url: str) -> bytes:
    from urllib.request import urlopen

    with urlopen(url, timeout=10) as answer:
        return bytes(answer.read())
