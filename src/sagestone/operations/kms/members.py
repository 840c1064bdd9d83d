"""The members of the operations of KMS; `operations.members` says how the notes are meant."""

from collections.abc import Mapping
from typing import Final

_ANY_NAME: Final = "an id, an ARN, an alias or its ARN"
_ID_OR_ARN: Final = "an id or an ARN, of a key that is not AWS's own"
_KEY: Final = {"KeyId": _ANY_NAME}
_CHANGED: Final = {"KeyId": _ID_OR_ARN}
_USE: Final = {
    "GrantTokens": "refused unless empty: there are no grants here",
    "DryRun": "everything is done but the answer",
}
_PAGE: Final = {"Limit": "", "Marker": ""}
_ALGORITHM: Final = "SYMMETRIC_DEFAULT"
_CONTEXT: Final = "authenticated with what is encrypted"
_RECIPIENT: Final = "refused: there are no enclaves here"
_DATA_KEY: Final = {
    **_KEY,
    **_USE,
    "EncryptionContext": _CONTEXT,
    "NumberOfBytes": "this or KeySpec",
    "KeySpec": "AES_256, AES_128",
}

KMS_MEMBERS: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("kms", "CreateKey"): {
        "Description": "",
        "Tags": "",
        "KeyUsage": "ENCRYPT_DECRYPT; others are refused",
        "KeySpec": "SYMMETRIC_DEFAULT; others are refused",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT; others are refused",
        "Origin": "AWS_KMS; others are refused",
        "MultiRegion": "refused when true",
        "Policy": "the default one; others are refused: key policies are not evaluated",
        "BypassPolicyLockoutSafetyCheck": "the default policy locks nobody out",
        "CustomKeyStoreId": "refused: there are no custom key stores here",
        "XksKeyId": "refused: there are no external key stores here",
    },
    ("kms", "DescribeKey"): {**_KEY, "GrantTokens": _USE["GrantTokens"]},
    ("kms", "ListKeys"): {**_PAGE, "ResourceOwners": "SELF"},
    ("kms", "EnableKey"): _CHANGED,
    ("kms", "DisableKey"): _CHANGED,
    ("kms", "ScheduleKeyDeletion"): {**_CHANGED, "PendingWindowInDays": "7 to 30, which is the default"},
    ("kms", "CancelKeyDeletion"): _CHANGED,
    ("kms", "UpdateKeyDescription"): {**_CHANGED, "Description": ""},
    ("kms", "CreateAlias"): {"AliasName": "not below alias/aws/", "TargetKeyId": _ID_OR_ARN},
    ("kms", "UpdateAlias"): {"AliasName": "not below alias/aws/", "TargetKeyId": _ID_OR_ARN},
    ("kms", "DeleteAlias"): {"AliasName": "not below alias/aws/"},
    ("kms", "ListAliases"): {**_KEY, **_PAGE},
    ("kms", "Encrypt"): {
        **_KEY,
        **_USE,
        "Plaintext": "up to 4,096 bytes",
        "EncryptionContext": _CONTEXT,
        "EncryptionAlgorithm": _ALGORITHM,
    },
    ("kms", "Decrypt"): {
        "KeyId": "if given, that of the key that encrypted",
        **_USE,
        "CiphertextBlob": "",
        "EncryptionContext": "the same as for Encrypt",
        "EncryptionAlgorithm": _ALGORITHM,
        "Recipient": _RECIPIENT,
        "DryRunModifiers": "refused",
    },
    ("kms", "ReEncrypt"): {
        **_USE,
        "CiphertextBlob": "",
        "SourceKeyId": "if given, that of the key that encrypted",
        "SourceEncryptionContext": "the same as for Encrypt",
        "SourceEncryptionAlgorithm": _ALGORITHM,
        "DestinationKeyId": _ANY_NAME,
        "DestinationEncryptionContext": _CONTEXT,
        "DestinationEncryptionAlgorithm": _ALGORITHM,
        "DryRunModifiers": "refused",
    },
    ("kms", "GenerateDataKey"): {**_DATA_KEY, "Recipient": _RECIPIENT},
    ("kms", "GenerateDataKeyWithoutPlaintext"): _DATA_KEY,
    ("kms", "GenerateRandom"): {
        "NumberOfBytes": "",
        "CustomKeyStoreId": "refused: there are no custom key stores here",
        "Recipient": _RECIPIENT,
    },
    ("kms", "GetKeyPolicy"): {**_KEY, "PolicyName": "default"},
    ("kms", "ListKeyPolicies"): {**_KEY, "Limit": "there is one policy", "Marker": "never given"},
    ("kms", "GetKeyRotationStatus"): {**_KEY},
    ("kms", "ListResourceTags"): {**_KEY, **_PAGE},
    ("kms", "TagResource"): {**_CHANGED, "Tags": ""},
    ("kms", "UntagResource"): {**_CHANGED, "TagKeys": ""},
}
