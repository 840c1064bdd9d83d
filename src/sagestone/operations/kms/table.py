"""The operations of KMS, all of which wait for the disk."""

from collections.abc import Callable, Mapping
from typing import Final

from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.aliases import create_alias, delete_alias, list_aliases, update_alias
from sagestone.operations.kms.cryptography import (
    decrypt,
    encrypt,
    generate_data_key,
    generate_data_key_without_plaintext,
    generate_random,
    re_encrypt,
)
from sagestone.operations.kms.keys import (
    cancel_key_deletion,
    create_key,
    describe_key,
    disable_key,
    enable_key,
    list_keys,
    schedule_key_deletion,
    update_key_description,
)
from sagestone.operations.kms.policies import get_key_policy, get_key_rotation_status, list_key_policies
from sagestone.operations.kms.tags import list_resource_tags, tag_resource, untag_resource
from sagestone.wire.call import Call
from sagestone.wire.operation import Answer

KMS: Final[Mapping[tuple[str, str], Callable[[Dependencies, Call], Answer]]] = {
    ("kms", "CancelKeyDeletion"): cancel_key_deletion,
    ("kms", "CreateKey"): create_key,
    ("kms", "DescribeKey"): describe_key,
    ("kms", "DisableKey"): disable_key,
    ("kms", "EnableKey"): enable_key,
    ("kms", "ListKeys"): list_keys,
    ("kms", "ScheduleKeyDeletion"): schedule_key_deletion,
    ("kms", "UpdateKeyDescription"): update_key_description,
    ("kms", "CreateAlias"): create_alias,
    ("kms", "DeleteAlias"): delete_alias,
    ("kms", "ListAliases"): list_aliases,
    ("kms", "UpdateAlias"): update_alias,
    ("kms", "Decrypt"): decrypt,
    ("kms", "Encrypt"): encrypt,
    ("kms", "GenerateDataKey"): generate_data_key,
    ("kms", "GenerateDataKeyWithoutPlaintext"): generate_data_key_without_plaintext,
    ("kms", "GenerateRandom"): generate_random,
    ("kms", "ReEncrypt"): re_encrypt,
    ("kms", "GetKeyPolicy"): get_key_policy,
    ("kms", "GetKeyRotationStatus"): get_key_rotation_status,
    ("kms", "ListKeyPolicies"): list_key_policies,
    ("kms", "ListResourceTags"): list_resource_tags,
    ("kms", "TagResource"): tag_resource,
    ("kms", "UntagResource"): untag_resource,
}
