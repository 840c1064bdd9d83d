"""TagResource, UntagResource and ListResourceTags of KMS."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sagestone.domain.tags import MOST_TAGS
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.requests import customer_key, kms_errors, named_key, page
from sagestone.wire.call import Call
from sagestone.wire.kms_errors import TagException


def list_resource_tags(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The tags of a key by name, 50 on a page unless asked otherwise."""
    key = named_key(deps, call.parameters["KeyId"])
    names = sorted(key.tags)
    shown, more = page(names, names, call.parameters, 50)
    return {"Tags": [{"TagKey": name, "TagValue": key.tags[name]} for name in shown], **more}


def tag_resource(deps: Dependencies, call: Call) -> None:
    """Add tags or change their values."""
    key = customer_key(deps, call.parameters["KeyId"], "TagResource")
    given = {tag["TagKey"]: tag["TagValue"] for tag in call.parameters["Tags"]}
    check_tags(given, len(call.parameters["Tags"]))
    check_tags(key.tags | given, len(key.tags | given))
    with kms_errors():
        deps.vault.change(key, lambda known: replace(known, tags=known.tags | given))


def untag_resource(deps: Dependencies, call: Call) -> None:
    """Take tags away; names that the key has not are no error."""
    key = customer_key(deps, call.parameters["KeyId"], "UntagResource")
    gone = set(call.parameters["TagKeys"])
    with kms_errors():
        deps.vault.change(
            key,
            lambda known: replace(known, tags={name: text for name, text in known.tags.items() if name not in gone}),
        )


def check_tags(tags: Mapping[str, str], given: int) -> None:
    """Raises TagException for what no key may have."""
    if given != len(tags):
        raise TagException("Duplicate tag keys")
    if len(tags) > MOST_TAGS:
        raise TagException(f"A key has at most {MOST_TAGS} tags")
    for name in tags:
        if name.lower().startswith("aws:"):
            raise TagException(f"The tag key {name} begins with aws: which is reserved")
