"""AddTags, ListTags and DeleteTags, for algorithms, training jobs and transform jobs."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.place import Place
from sagestone.domain.tags import MOST_TAGS, tag_list, tag_map, tag_violations
from sagestone.operations.algorithms.algorithm_names import no_such_algorithm
from sagestone.operations.dependencies import Dependencies
from sagestone.shapes.violation import summary
from sagestone.store.interface import NotFound
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException


def add_tags(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Add tags or change their values; answers all tags of the resource."""
    arn = _own_arn(deps, call)
    violations = list(tag_violations(Place(call.parameters).member("Tags")))
    if violations:
        raise ValidationException(summary(violations))
    try:
        return {"Tags": tag_list(deps.store.add_tags(arn, tag_map(call.parameters["Tags"]), MOST_TAGS))}
    except NotFound:
        raise _missing(deps, arn) from None
    except ValueError:
        raise ValidationException(f"{arn} would have more than {MOST_TAGS} tags: delete some with DeleteTags") from None


def list_tags(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """All tags of the resource: a page holds at least as many as there can be."""
    arn = _own_arn(deps, call)
    if call.parameters.get("NextToken"):
        raise ValidationException("Invalid pagination token: ListTags answers everything at once")
    tags = deps.store.tags(arn)
    if tags is None:
        raise _missing(deps, arn)
    return {"Tags": tag_list(tags)}


def delete_tags(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Take tags away; keys that the resource has not are no error."""
    arn = _own_arn(deps, call)
    try:
        deps.store.remove_tags(arn, call.parameters["TagKeys"])
    except NotFound:
        raise _missing(deps, arn) from None
    return {}


def _own_arn(deps: Dependencies, call: Call) -> str:
    arn: str = call.parameters["ResourceArn"]
    _, _, _, region, _, _ = arn.split(":", 5)
    if region != deps.deployment.region:
        raise ValidationException(f"ARN should be scoped to correct region: {deps.deployment.region}")
    return arn


def _missing(deps: Dependencies, arn: str) -> ValidationException:
    if ":algorithm/" in arn:
        return no_such_algorithm(deps.deployment, arn)
    return ValidationException(f"Requested resource not found: {arn}")
