"""ARNs and names: what a resource is called, and how a caller may call it."""

import re
from dataclasses import dataclass
from typing import Literal

_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)

ResourceKind = Literal["algorithm", "training-job", "transform-job", "model", "model-package", "model-package-group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where this service claims to be: every ARN it makes carries these three."""

    partition: str
    region: str
    account: str

    def arn(self, kind: ResourceKind, name: str) -> str:
        """`arn:aws:sagemaker:REGION:ACCOUNT:KIND/NAME`; the name of a job is lower case in its ARN (observed)."""
        shown = name.lower() if kind in ("training-job", "transform-job") else name
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:{kind}/{shown}"

    def role_arn(self, role: str) -> str:
        """The ARN of a role of this account."""
        return f"arn:{self.partition}:iam::{self.account}:role/{role}"


def is_user_name(name: str) -> bool:
    """Whether IAM allows it as the name of a user."""
    return _USER.fullmatch(name) is not None
