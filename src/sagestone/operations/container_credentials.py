"""The credentials of a running job's role, for its container: what ECS's credentials endpoint answers on AWS."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sagestone.domain.container_credentials import job_of_path
from sagestone.operations.dependencies import Dependencies
from sagestone.wire.session_tokens import issue_session

_SESSION_SECONDS: Final = 3600
_ROLE = re.compile(r"role/(?:.*/)?([^/]+)$")


def container_credentials(of_account: Callable[[str], Dependencies], path: str) -> Mapping[str, Any] | None:
    """Temporary credentials of the role of the job that the sealed path names; None for any other path, for a job that
    is isolated, and for one that has ended. `of_account` has the dependencies of each account ("": the home's own)."""
    found = job_of_path(of_account("").book.seal_key("container credentials"), path)
    if found is None:
        return None
    key, created_at, account = found
    deps = of_account(account)
    kind, _, name = key.partition("/")
    job = deps.store.training_job(name) if kind == "training" else deps.store.transform_job(name)
    if job is None or job.created_at != created_at or job.finished or job.spec.isolated:
        return None
    role = _ROLE.search(job.spec.role_arn)
    shown = role[1] if role else "unnamed"
    arn = f"arn:{deps.deployment.partition}:sts::{deps.deployment.account}:assumed-role/{shown}/SageMaker"
    session = issue_session(deps.book, arn, round(deps.clock()) + _SESSION_SECONDS)
    return {
        "RoleArn": job.spec.role_arn,
        "AccessKeyId": session.credentials.access_key,
        "SecretAccessKey": session.credentials.secret_key,
        "Token": session.token,
        "Expiration": datetime.fromtimestamp(session.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
