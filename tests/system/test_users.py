"""Users, their keys and their policies, while a service runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.system.accounts import OWN, asked, clients, put_policy, refusal, rule
from tests.system.service import RunningService
from tests.system.training import train, training_request
from tests.system.validation import BUCKET, ROLE, specification

ALICE = f"arn:aws:iam::{OWN}:user/alice"


def test_keys_come_and_go_without_a_restart(sandbox_service: RunningService) -> None:
    first = asked(sandbox_service, "user", "create", "carol")
    sts = clients(sandbox_service, first)("sts")
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{OWN}:user/carol"
    printed = sandbox_service.command("env", "--user", "carol").stdout
    assert f"AWS_ACCESS_KEY_ID={first['access_key']}\n" in printed
    second = asked(sandbox_service, "user", "keys", "carol", "--new")
    assert sandbox_service.command("user", "disable", "carol", "--key", first["access_key"]).returncode == 0
    assert refusal(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    assert refusal(clients(sandbox_service, first)("s3").list_buckets)[0] == "InvalidAccessKeyId"
    assert refusal(clients(sandbox_service, first)("sagemaker").list_models)[0] == "UnrecognizedClientException"
    assert clients(sandbox_service, second)("sts").get_caller_identity()["Account"] == OWN
    assert sandbox_service.command("user", "enable", "carol").returncode == 0
    assert sts.get_caller_identity()["Account"] == OWN
    assert [key["access_key"] for key in asked(sandbox_service, "user", "keys", "carol")] == [
        first["access_key"], second["access_key"],
    ]  # fmt: skip
    assert sandbox_service.command("user", "remove", "carol").returncode == 0
    assert refusal(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    missing = sandbox_service.command("env", "--user", "carol")
    assert (missing.returncode, "there is no user carol" in missing.stderr) == (3, True)


@pytest.fixture(scope="module")
def alice(sandbox_service: RunningService) -> dict[str, str]:
    found: dict[str, str] = asked(sandbox_service, "user", "create", "alice")
    return found


def test_a_policy_is_asked_by_every_service(sandbox_service: RunningService, alice: dict[str, str]) -> None:
    client = clients(sandbox_service, alice)
    assert client("s3").list_buckets()["Buckets"]  # without a policy: everything
    put_policy(
        sandbox_service,
        rule("Allow", ["sagemaker:*", "s3:Get*", "s3:PutObject"]),
        rule("Deny", "sagemaker:DeleteAlgorithm"),
        rule("Deny", "s3:*", f"arn:aws:s3:::{BUCKET}/secret/*"),
        to="user/alice",
    )  # fmt: skip
    why = "because no identity-based policy allows the {} action".format
    arn = f"arn:aws:sagemaker:us-east-1:{OWN}:algorithm/a"
    assert refusal(client("sagemaker").delete_algorithm, AlgorithmName="a") == (
        "AccessDeniedException",
        f"User: {ALICE} is not authorized to perform: sagemaker:DeleteAlgorithm on resource: {arn} with an explicit "
        "deny in an identity-based policy",
    )
    assert refusal(client("sagemaker").create_algorithm, **specification("a", "tests/train:1")) == (
        "AccessDeniedException",
        f"User: {ALICE} is not authorized to perform: iam:PassRole on resource: {ROLE} {why('iam:PassRole')}",
    )
    group = f"arn:aws:logs:us-east-1:{OWN}:log-group:g:log-stream:"
    assert refusal(client("logs").filter_log_events, logGroupName="g") == (
        "AccessDeniedException",
        f"User: {ALICE} is not authorized to perform: logs:FilterLogEvents on resource: {group} "
        f"{why('logs:FilterLogEvents')}",
    )
    assert "cloudwatch:ListMetrics on resource: *" in refusal(client("cloudwatch").list_metrics)[1]
    assert refusal(client("sts").assume_role, RoleArn=ROLE, RoleSessionName="me") == (
        "AccessDenied",
        f"User: {ALICE} is not authorized to perform: sts:AssumeRole on resource: {ROLE} {why('sts:AssumeRole')}",
    )
    assert refusal(client("iam").get_role, RoleName="r")[0] == "AccessDenied"
    assert client("sts").get_caller_identity()["Arn"] == ALICE
    s3 = client("s3")
    assert refusal(s3.list_buckets) == (
        "AccessDenied",
        f'User: {ALICE} is not authorized to perform: s3:ListAllMyBuckets on resource: "*" '
        f"{why('s3:ListAllMyBuckets')}",
    )
    s3.put_object(Bucket=BUCKET, Key="open/x", Body=b"x")
    assert s3.get_object(Bucket=BUCKET, Key="open/x")["Body"].read() == b"x"
    assert "with an explicit deny" in refusal(s3.put_object, Bucket=BUCKET, Key="secret/x", Body=b"x")[1]
    source = {"Bucket": BUCKET, "Key": "secret/x"}
    assert "s3:GetObject" in refusal(s3.copy_object, Bucket=BUCKET, Key="open/y", CopySource=source)[1]
    (error,) = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "open/x"}]})["Errors"]
    assert (error["Key"], error["Code"]) == ("open/x", "AccessDenied")
    assert s3.get_object(Bucket=BUCKET, Key="open/x")["Body"].read() == b"x"


def test_simulation_tells_what_would_be(sandbox_service: RunningService, alice: dict[str, str]) -> None:
    put_policy(
        sandbox_service,
        rule("Allow", "sagemaker:*", f"arn:aws:sagemaker:*:{OWN}:model/team-*"),
        rule("Deny", "sagemaker:DeleteModel"),
        to="user/alice",
    )  # fmt: skip
    resources = [f"arn:aws:sagemaker:us-east-1:{OWN}:model/{name}" for name in ("team-a", "other")]
    found = sandbox_service.client("iam").simulate_principal_policy(
        PolicySourceArn=ALICE,
        ActionNames=["sagemaker:DescribeModel", "sagemaker:DeleteModel"],
        ResourceArns=resources,
    )["EvaluationResults"]
    assert [(each["EvalDecision"], len(each["MatchedStatements"])) for each in found] == [
        ("allowed", 1), ("implicitDeny", 0), ("explicitDeny", 1), ("explicitDeny", 1),
    ]  # fmt: skip
    sagemaker = clients(sandbox_service, alice)("sagemaker")
    assert refusal(sagemaker.describe_model, ModelName="team-a")[0] == "ValidationException"  # there is none
    assert refusal(sagemaker.describe_model, ModelName="other")[0] == "AccessDeniedException"
    assert refusal(sagemaker.delete_model, ModelName="team-a")[0] == "AccessDeniedException"
    nobody = {"PolicySourceArn": f"arn:aws:iam::{OWN}:user/nobody", "ActionNames": ["s3:GetObject"]}
    assert refusal(sandbox_service.client("iam").simulate_principal_policy, **nobody)[0] == "NoSuchEntity"


def test_a_simulation_that_would_take_minutes_is_refused(sandbox_service: RunningService) -> None:
    simulate = sandbox_service.client("iam").simulate_principal_policy
    everything = json.dumps({"Version": "2012-10-17", "Statement": [rule("Allow", "*")]})
    question = {"PolicySourceArn": f"arn:aws:iam::{OWN}:role/any", "ActionNames": ["s3:GetObject"]}
    assert len(simulate(**question, PolicyInputList=[everything] * 20)["EvaluationResults"]) == 1
    for members, code, words in (
        ({"PolicyInputList": [everything] * 21}, "ValidationError", "PolicyInputList has 21 policies"),
        ({"PolicyInputList": [everything + " " * 6144]}, "MalformedPolicyDocument", "a policy 6144 at most"),
        ({"ResourceArns": ["*"] * 1001}, "ValidationError", "ActionNames times ResourceArns is 1001"),
    ):
        refused = refusal(simulate, **question, **members)
        assert refused[0] == code
        assert words in refused[1]


def test_a_role_has_its_own_policy_in_sessions_and_containers(
    sandbox_service: RunningService, alice: dict[str, str]
) -> None:
    role = f"arn:aws:iam::{OWN}:role/reader"
    put_policy(
        sandbox_service,
        rule("Allow", ["sts:AssumeRole", "iam:PassRole"], role), rule("Allow", "sagemaker:*"),
        to="user/alice",
    )  # fmt: skip
    put_policy(sandbox_service, rule("Allow", "s3:GetObject"), to="role/reader")
    client = clients(sandbox_service, alice)
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    keys = {"access_key": given["AccessKeyId"], "secret_key": given["SecretAccessKey"]}
    s3 = clients(sandbox_service, keys, given["SessionToken"])("s3")
    assert s3.get_object(Bucket=BUCKET, Key="train/a.csv")["Body"].read()
    assert "assumed-role/reader/me is not auth" in refusal(s3.put_object, Bucket=BUCKET, Key="k", Body=b"x")[1]
    request = training_request("by-reader", RoleArn=role)
    client("sagemaker").create_training_job(**request)
    other: dict[str, Any] = training_request("by-other")
    assert "iam:PassRole" in refusal(client("sagemaker").create_training_job, **other)[1]
    assert train(sandbox_service, training_request("as-before"))["TrainingJobStatus"] == "Completed"


def test_an_account_is_bounded(sandbox_service: RunningService, alice: dict[str, str]) -> None:
    put_policy(sandbox_service, rule("Allow", "*"), rule("Deny", "sagemaker:List*"), to="")
    try:
        assert sandbox_service.command("policy", "remove", "tests", "--user", "alice").returncode == 0
        for who in (sandbox_service.client, clients(sandbox_service, alice)):
            code, message = refusal(who("sagemaker").list_models)
            assert (code, message.endswith("with an explicit deny in a service control policy")) == (
                "AccessDeniedException", True,
            )  # fmt: skip
    finally:
        assert sandbox_service.command("policy", "remove", "tests").returncode == 0
    assert "Models" in sandbox_service.client("sagemaker").list_models()


def test_policies_are_put_and_read_by_the_command_line(sandbox_service: RunningService, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    statement = rule("Allow", ["s3:*", "kms:Decrypt", "iam:Pass*", "s3:DeletObject"])
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    done = sandbox_service.command("policy", "put", "s3-only", str(file), "--role", "storage")
    told = "note: s3:DeletObject is no action of a service here, so it says nothing\n"
    assert (done.returncode, done.stderr) == (0, told)
    assert ["role/storage", "s3-only"] in [
        [each["to"], each["name"]] for each in asked(sandbox_service, "policy", "list")
    ]
    file.write_text(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}}}'
    )
    done = sandbox_service.command("policy", "put", "tests", str(file), "--user", "sagestone")
    assert (done.returncode, "Statement 1 has 'Condition', which is not supported yet" in done.stderr) == (2, True)


def test_an_encrypted_object_asks_for_its_key_too(sandbox_service: RunningService, alice: dict[str, str]) -> None:
    service, s3 = sandbox_service, clients(sandbox_service, alice)("s3")
    key = service.client("kms").create_key()["KeyMetadata"]["Arn"]
    service.client("kms").create_alias(AliasName="alias/guarded", TargetKeyId=key)
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/guarded"}
    there, here = {"Bucket": BUCKET, "Key": "guarded"}, {"Bucket": BUCKET, "Key": "mine"}
    service.client("s3").put_object(**there, Body=b"x", **sealed)

    def denied(call: Any, action: str, **parameters: Any) -> None:
        told = (
            f"User: {ALICE} is not authorized to perform: {action} on resource: {key} because no identity-based "
            f"policy allows the {action} action"
        )
        assert refusal(call, **parameters) == ("AccessDenied", told)

    may = rule("Allow", ["s3:*"])
    put_policy(service, may, to="user/alice")
    denied(s3.get_object, "kms:Decrypt", **there)
    denied(s3.copy_object, "kms:Decrypt", **here, CopySource=there)
    denied(s3.put_object, "kms:GenerateDataKey", **here, Body=b"y", **sealed)
    denied(s3.create_multipart_upload, "kms:GenerateDataKey", **here, **sealed)
    assert s3.head_object(**there)["SSEKMSKeyId"] == key  # says nothing of the content
    s3.put_object(**here, Body=b"y", ServerSideEncryption="aws:kms")  # AWS's own key lets in whom S3 lets in
    assert s3.get_object(**here)["Body"].read() == b"y"
    denied(s3.copy_object, "kms:GenerateDataKey", **here, CopySource=here, **sealed)

    put_policy(service, may, rule("Allow", "kms:GenerateDataKey", key), to="user/alice")
    s3.put_object(**here, Body=b"z", **sealed)
    denied(s3.get_object, "kms:Decrypt", **here)
    upload = s3.create_multipart_upload(**here, **sealed)["UploadId"]
    part = {**here, "UploadId": upload, "PartNumber": 1}
    denied(s3.upload_part, "kms:Decrypt", **part, Body=b"part")

    put_policy(service, may, rule("Allow", ["kms:GenerateDataKey", "kms:Decrypt"], key), to="user/alice")
    assert s3.get_object(**here)["Body"].read() == b"z"
    etag = s3.upload_part(**part, Body=b"part")["ETag"]
    joined = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(**here, UploadId=upload, MultipartUpload=joined)
    s3.copy_object(**there, CopySource=here, **sealed)
    assert s3.get_object(**there)["Body"].read() == b"part"
