"""What a key may be called by: its id, its ARN, an alias, the ARN of an alias."""

import re
from dataclasses import dataclass
from typing import Literal

from sagestone.domain.names import Deployment
from sagestone.kms.refusal import KmsRefusal

_ARN = re.compile(r"arn:([a-z-]+):kms:([a-z0-9-]+):([0-9]{12}):(key|alias)/(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyName:
    """The id of a key, or an alias (`alias/…`)."""

    kind: Literal["key", "alias"]
    text: str


def read_key_name(name: str, deployment: Deployment) -> KeyName:
    """What is named, wherever it may be; raises KmsRefusal for an ARN of another region or account, or a bad one."""
    if name.startswith("alias/"):
        return KeyName(kind="alias", text=name)
    if not name.startswith("arn:"):
        return KeyName(kind="key", text=name)
    found = _ARN.fullmatch(name)
    if found is None:
        raise KmsRefusal("InvalidArnException", f"Invalid arn {name}")
    if found[2] != deployment.region:
        raise KmsRefusal("NotFoundException", f"Invalid arn {found[2]}")
    if found[3] != deployment.account or found[1] != deployment.partition:
        raise KmsRefusal("NotFoundException", f"{name} belongs to another account than {deployment.account}.")
    if found[4] == "alias":
        return KeyName(kind="alias", text=f"alias/{found[5]}")
    return KeyName(kind="key", text=found[5])


def key_arn(deployment: Deployment, key_id: str) -> str:
    """`arn:aws:kms:REGION:ACCOUNT:key/ID`."""
    return f"arn:{deployment.partition}:kms:{deployment.region}:{deployment.account}:key/{key_id}"


def alias_arn(deployment: Deployment, alias: str) -> str:
    """`arn:aws:kms:REGION:ACCOUNT:alias/NAME`."""
    return f"arn:{deployment.partition}:kms:{deployment.region}:{deployment.account}:{alias}"
