"""Users and accounts of a running service, made by its command line, and clients with their keys."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

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


def put_policy(service: RunningService, directory: Path, *statements: dict[str, Any], to: tuple[str, ...]) -> None:
    """Attach a policy of that name, by the command line."""
    file = directory / "policy.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    done = service.command("policy", "put", "tests", str(file), *to)
    assert done.returncode == 0, done.stderr


def rule(effect: str, action: Any, resource: Any = "*") -> dict[str, Any]:
    """A statement."""
    return {"Effect": effect, "Action": action, "Resource": resource}
