"""ListMetrics of CloudWatch, for the metrics of training jobs and of the hosts of jobs."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson

from sagestone.operations.dependencies import Dependencies
from sagestone.operations.monitoring.metric_statistics import NAMESPACES, UNITS, place_of
from sagestone.wire.call import Call
from sagestone.wire.errors import InvalidParameterValue

_PAGE = 500
_RECENT_SECONDS = 3 * 3600


def list_metrics(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The metrics that were measured, by job or host and name, 500 on a page."""
    given = call.parameters
    after = _read_token(given.get("NextToken"))
    wanted = {each["Name"]: each.get("Value") for each in given.get("Dimensions") or ()}
    namespace = given.get("Namespace")
    if namespace not in (None, *NAMESPACES) or len(wanted) > 1 or wanted.keys() - UNITS.keys():
        return {"Metrics": []}
    ((dimension, owner),) = wanted.items() or (("", None),)
    since = deps.clock() - _RECENT_SECONDS if given.get("RecentlyActive") else None
    found = deps.store.metric_names(owner, given.get("MetricName"), since, after, _PAGE + 1)
    shown = [_metric(owner, name) for owner, name in found[:_PAGE] if _is_asked(owner, namespace, dimension)]
    answer: dict[str, Any] = {"Metrics": shown}
    if len(found) > _PAGE:
        answer["NextToken"] = base64.urlsafe_b64encode(orjson.dumps(found[_PAGE - 1])).decode()
    return answer


def _is_asked(owner: str, namespace: str | None, dimension: str) -> bool:
    its_namespace, its_dimension = place_of(owner)
    return namespace in (None, its_namespace) and dimension in ("", its_dimension)


def _metric(owner: str, name: str) -> dict[str, Any]:
    namespace, dimension = place_of(owner)
    return {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": dimension, "Value": owner}]}


def _read_token(token: str | None) -> tuple[str, str]:
    if not token:
        return ("", "")
    try:
        job, name = orjson.loads(base64.urlsafe_b64decode(token.encode()))
        return str(job), str(name)
    except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError):
        raise InvalidParameterValue("The parameter NextToken is none that was given.") from None
