"""Search: training jobs, model packages and their groups by what is described of them."""

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from sagestone.domain.describe.model_package import describe_group, describe_model_package
from sagestone.domain.describe.training_job import describe_training_job
from sagestone.domain.model_package import ModelPackage, ModelPackageGroup
from sagestone.domain.place import Place
from sagestone.domain.rules.search import PROPERTIES, search_violations
from sagestone.domain.search import BadFilter, satisfies, values_of
from sagestone.domain.tags import tag_list
from sagestone.operations.dependencies import Dependencies
from sagestone.shapes.violation import summary
from sagestone.store.interface import ListQuery, Page
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException

_PAGE: Final = 100
#: Resources that can be searched for on AWS and cannot be made here: there are never any.
_NEVER: Final = """
    Experiment ExperimentTrial ExperimentTrialComponent Endpoint Pipeline PipelineExecution PipelineVersion FeatureGroup
    FeatureMetadata Image ImageVersion Project HyperParameterTuningJob ModelCard
"""


def search(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The resources that satisfy the expression, those changed last first unless the request says otherwise.

    A token stands for a number of results: a page may repeat or miss one that changed meanwhile. Raises
    ValidationException: for properties that the resource has not, and for filters that compare what cannot be compared.
    """
    given, resource = call.parameters, call.parameters["Resource"]
    if given.get("VisibilityConditions") or given.get("CrossAccountFilterOption") == "CrossAccount":
        raise ValidationException("Search is of this account alone: leave VisibilityConditions and CrossAccount out")
    if resource in _NEVER.split():
        return {"Results": [], "TotalHits": {"Value": 0, "Relation": "EqualTo"}}
    if resource not in PROPERTIES:
        raise ValidationException(
            f"Search for {resource} is not supported yet: {', '.join(PROPERTIES)} can be searched"
        )
    violations = search_violations(Place(given))
    if violations:
        raise ValidationException(summary(violations))
    first = _read_token(given)
    expression = given.get("SearchExpression")
    try:
        found = [each for each in _DOCUMENTS[resource](deps) if expression is None or satisfies(each, expression)]
    except BadFilter as refusal:
        raise ValidationException(f"SearchExpression: {refusal}") from None
    _sort(found, given.get("SortBy") or "LastModifiedTime", ascending=given.get("SortOrder") == "Ascending")
    last = first + (given.get("MaxResults") or _PAGE)
    answer: dict[str, Any] = {
        "Results": [{resource: _record(resource, each)} for each in found[first:last]],
        "TotalHits": {"Value": len(found), "Relation": "EqualTo"},
    }
    if last < len(found):
        answer["NextToken"] = base64.urlsafe_b64encode(orjson.dumps([_digest(given), last])).decode()
    return answer


def _record(resource: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """What a SearchRecord shows: less than the description, and the tags; metrics are there to be searched by."""
    shown = {name: value for name, value in document.items() if name in PROPERTIES[resource] - {"Metrics"}}
    return {**shown, "Tags": tag_list(document["Tags"])}


def _training_jobs(deps: Dependencies) -> Iterator[dict[str, Any]]:
    for row in _rows(deps.store.list_training_jobs):
        job = deps.store.training_job(row.name)
        if job is not None:  # it was deleted meanwhile
            shown = describe_training_job(job)
            metrics = {each["MetricName"]: each["Value"] for each in shown.get("FinalMetricDataList") or ()}
            yield {**shown, "Metrics": metrics, "Tags": deps.store.tags(job.spec.arn) or {}}


def _model_packages(deps: Dependencies) -> Iterator[dict[str, Any]]:
    for row in _rows(lambda query: deps.store.list_resources(ModelPackage, query)):
        package = deps.store.resource(ModelPackage, row.name)
        if package is not None:
            shown = {"LastModifiedTime": round(package.created_at, 3), **describe_model_package(package)}
            yield {**shown, "Tags": deps.store.tags(package.arn) or {}}


def _groups(deps: Dependencies) -> Iterator[dict[str, Any]]:
    for row in _rows(lambda query: deps.store.list_resources(ModelPackageGroup, query)):
        group = deps.store.resource(ModelPackageGroup, row.name)
        if group is not None:
            yield {**describe_group(group), "Tags": deps.store.tags(group.arn) or {}}


_DOCUMENTS: Final[Mapping[str, Callable[[Dependencies], Iterator[dict[str, Any]]]]] = {
    "TrainingJob": _training_jobs,
    "ModelPackage": _model_packages,
    "ModelPackageGroup": _groups,
}


def _rows(find: Callable[[ListQuery], Page[Any]]) -> Iterator[Any]:
    """All of them, oldest first."""
    query = ListQuery(limit=1000)
    while True:
        page = find(query)
        yield from page.rows
        if page.token is None:
            return
        query = replace(query, token=page.token)


def _sort(found: list[dict[str, Any]], by: str, *, ascending: bool) -> None:
    """In place; what has no such value comes last, and equal ones come by their creation."""

    def value(document: Mapping[str, Any]) -> tuple[bool, float, str]:
        first = next(values_of(document, by), None)
        if isinstance(first, int | float):
            return True, float(first), ""
        return isinstance(first, str), 0.0, first if isinstance(first, str) else ""

    found.sort(key=lambda each: each["CreationTime"], reverse=not ascending)
    found.sort(key=value, reverse=not ascending)
    found.sort(key=lambda each: not value(each)[0])


def _digest(given: Mapping[str, Any]) -> int:
    """Of what a token is good for: the same search."""
    asked = {name: given.get(name) for name in ("Resource", "SearchExpression", "SortBy", "SortOrder")}
    return zlib.crc32(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS))


def _read_token(given: Mapping[str, Any]) -> int:
    token = given.get("NextToken")
    if not token:
        return 0
    try:
        digest, first = orjson.loads(base64.urlsafe_b64decode(token.encode()))
        if digest == _digest(given) and isinstance(first, int) and first >= 0:
            return first
    except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError):
        pass
    raise ValidationException(
        "Invalid pagination token: NextToken must be the one of the previous answer, sent with the same search"
    )
