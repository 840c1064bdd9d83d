"""Users and accounts of a running service, made by its command line, and clients with their keys."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sagestone.wire.access_document import AttachedPolicy
from sagestone.wire.access_document import put_policy as put
from sagestone.wire.access_file import change_access
from tests.system.service import REGION, RunningService

OWN = "123456789012"


def asked(service: RunningService, *arguments: str) -> Any:
    """What a command says in JSON."""
    done = service.command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def clients(
    service: RunningService, keys: dict[str, str], token: str | None = None
) -> Callable[[str], Any]:  # fmt: skip
    """Unmodified boto3 clients with these keys."""
    session = boto3.Session(
        aws_access_key_id=keys["access_key"],
        aws_secret_access_key=keys["secret_key"],
        aws_session_token=token,
        region_name=REGION,
    )
    return lambda name: session.client(name, endpoint_url=service.endpoint)


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Code and message of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def put_policy(service: RunningService, *statements: dict[str, Any], to: str) -> None:
    """Attach a policy named `tests`, as the command line does while a service runs: by changing the file."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    policy = AttachedPolicy(account=OWN, to=to, name="tests", document=document)
    change_access(service.home, lambda known: put(known, policy))


def rule(effect: str, action: Any, resource: Any = "*") -> dict[str, Any]:
    """A statement."""
    return {"Effect": effect, "Action": action, "Resource": resource}
