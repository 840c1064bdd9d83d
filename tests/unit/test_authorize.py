"""Every operation that is served asks whether the caller may call it, and says about what."""

from typing import Any

import pytest

from sagestone.domain.principal import Principal
from sagestone.operations.authorize import authorize
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.resources import kms_resources
from sagestone.operations.resource_arns import resources_of
from sagestone.operations.table import QUICK, WAITING, operations
from sagestone.wire.access_document import AccessDocument, AttachedPolicy
from sagestone.wire.call import Call, Caller
from sagestone.wire.credentials import CredentialBook
from sagestone.wire.errors import AccessDeniedException
from tests.unit.served import DEPLOYMENT, KEYS, Served

SERVED = sorted({**QUICK, **WAITING})
NOTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "none:Such", "Resource": "*"}}
HERE = f"arn:aws:sagemaker:{DEPLOYMENT.region}:{DEPLOYMENT.account}"


class Bounded(CredentialBook):
    """A book in which the user alice may do nothing."""

    def __init__(self) -> None:
        super().__init__([KEYS])
        policy = AttachedPolicy(account=KEYS.account, to="user/alice", name="p", document=NOTHING)
        self._take(AccessDocument(credentials=(KEYS,), policies=(policy,)))


def called(service: str, operation: str, parameters: dict[str, Any], name: str = "alice") -> Call:
    principal = Principal(account=KEYS.account, name=name)
    caller = Caller(account=KEYS.account, access_key="AK", region=DEPLOYMENT.region, principal=principal)
    return Call(service=service, operation=operation, parameters=parameters, caller=caller, request_id="r")


@pytest.fixture
def dependencies(tmp_path: Any) -> Any:
    from dataclasses import replace

    served = Served(tmp_path)
    yield replace(served.dependencies, book=Bounded())
    served.store.close()


def test_every_operation_asks_first(dependencies: Dependencies) -> None:
    table = operations(lambda account: dependencies)
    for service, operation in SERVED:
        if (service, operation) == ("sts", "GetCallerIdentity"):
            continue
        with pytest.raises(AccessDeniedException) as refused:
            table[service, operation].function(called(service, operation, {}))
        prefix = {"monitoring": "cloudwatch"}.get(service, service)
        assert f"is not authorized to perform: {prefix}:{operation} on resource: " in refused.value.message
    found = table["sts", "GetCallerIdentity"].function(called("sts", "GetCallerIdentity", {}))
    assert isinstance(found, dict)
    assert found["Arn"].endswith(":user/alice")


def test_who_has_no_policy_may_do_everything(dependencies: Dependencies) -> None:
    for service, operation in SERVED:
        authorize(dependencies, called(service, operation, {}, name="bob"))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("sagemaker", "CreateAlgorithm", {"AlgorithmName": "a"}, [f"{HERE}:algorithm/a"]),
        ("sagemaker", "DescribeAlgorithm", {"AlgorithmName": f"{HERE}:algorithm/a"}, [f"{HERE}:algorithm/a"]),
        ("sagemaker", "CreateTrainingJob", {"TrainingJobName": "Job"}, [f"{HERE}:training-job/job"]),
        ("sagemaker", "CreateTransformJob", {"TransformJobName": "t", "ModelName": "m"}, [f"{HERE}:transform-job/t"]),
        ("sagemaker", "CreateModelPackage", {"ModelPackageGroupName": "g"}, [f"{HERE}:model-package-group/g"]),
        ("sagemaker", "DescribeModelPackage", {"ModelPackageName": "g/1"}, [f"{HERE}:model-package/g/1"]),
        ("sagemaker", "UpdateModelPackage", {"ModelPackageArn": f"{HERE}:model-package/g/1"},
         [f"{HERE}:model-package/g/1"]),
        ("sagemaker", "BatchDescribeModelPackage", {"ModelPackageArnList": [f"{HERE}:model-package/g/1", "g/2"]},
         [f"{HERE}:model-package/g/1", f"{HERE}:model-package/g/2"]),
        ("sagemaker", "DescribeAlgorithm", {"AlgorithmName": "arn:x:y:z:w:algorithm/a"}, [f"{HERE}:algorithm/a"]),
        ("sagemaker", "AddTags", {"ResourceArn": f"{HERE}:model/m"}, [f"{HERE}:model/m"]),
        ("sagemaker", "ListModels", {"NameContains": "m"}, ["*"]),
        ("sagestone", "InterruptTrainingJob", {"TrainingJobName": "j"}, [f"{HERE}:training-job/j"]),
        ("new", "Anything", {"Name": "x"}, ["*"]),
    ],
)  # fmt: skip
def test_what_an_operation_is_about(service: str, operation: str, parameters: Any, expected: list[str]) -> None:
    assert resources_of(DEPLOYMENT, service, operation, parameters) == expected


def test_a_key_is_the_same_by_any_of_its_names(dependencies: Dependencies) -> None:
    vault = dependencies.vault
    key = vault.create("mine")
    vault.put_alias("alias/mine", key)
    blob = vault.encrypt(key, b"secret", {})
    arn, alias = vault.arn(key), vault.alias_arn("alias/mine")
    for given in (
        {"KeyId": key.id},
        {"KeyId": arn},
        {"KeyId": "alias/mine"},
        {"KeyId": alias},
        {"CiphertextBlob": blob},
    ):
        assert kms_resources(dependencies, given) == [arn]
    assert kms_resources(dependencies, {"CiphertextBlob": blob, "DestinationKeyId": "alias/mine"}) == [arn]
    assert kms_resources(dependencies, {"AliasName": "alias/mine"}) == [alias, arn]
    assert kms_resources(dependencies, {"CiphertextBlob": b"none"}) == []


@pytest.mark.parametrize("role", ["role/admin", "role/team/admin", "role/a/b/admin"])
def test_a_path_leads_around_no_deny_of_a_role(dependencies: Dependencies, role: str) -> None:
    rules = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": DEPLOYMENT.role_arn("admin")},
    ]
    document = {"Version": "2012-10-17", "Statement": rules}
    policy = AttachedPolicy(account=KEYS.account, to="user/alice", name="p", document=document)
    dependencies.book._take(AccessDocument(credentials=(KEYS,), policies=(policy,)))
    arn = f"arn:aws:iam::{DEPLOYMENT.account}:{role}"
    for service, operation in (("sts", "AssumeRole"), ("sagemaker", "CreateModel")):
        member = "RoleArn" if service == "sts" else "ExecutionRoleArn"
        with pytest.raises(AccessDeniedException, match="with an explicit deny"):
            authorize(dependencies, called(service, operation, {member: arn}))
        authorize(dependencies, called(service, operation, {member: f"{arn}istrator"}))
