"""DescribeModel, ListModels and DeleteModel."""

import math
from collections.abc import Mapping
from typing import Any

from sagestone.domain.describe.model import describe_model as describe
from sagestone.domain.model import Model
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.list_query import list_page, page_answer
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException


def find_model(deps: Dependencies, name: str) -> Model:
    """The model of that name; raises ValidationException in the service's words where there is none."""
    model = deps.store.resource(Model, name)
    if model is None:
        raise _missing(deps, name)
    return model


def describe_model(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The model as it was created; raises ValidationException where there is none."""
    return describe(find_model(deps, call.parameters["ModelName"]))


def list_models(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A page of summaries: by creation time, newest first, unless the request says otherwise."""
    parameters = dict(call.parameters)
    if parameters.get("CreationTimeAfter") is not None:  # documented as "greater than or equal" for models only
        parameters["CreationTimeAfter"] = math.nextafter(parameters["CreationTimeAfter"], -math.inf)
    page = list_page(lambda query: deps.store.list_resources(Model, query), parameters, order="Descending")
    rows = [
        {"ModelName": row.name, "ModelArn": row.arn, "CreationTime": round(row.created_at, 3)} for row in page.rows
    ]  # fmt: skip
    return page_answer("Models", rows, page.token)


def delete_model(deps: Dependencies, call: Call) -> None:
    """Take the model away; jobs that run with it have their own copy of what it says and go on."""
    if not deps.store.remove_resource(Model, call.parameters["ModelName"]):
        raise _missing(deps, call.parameters["ModelName"])


def _missing(deps: Dependencies, name: str) -> ValidationException:
    return ValidationException(f'Could not find model "{deps.deployment.arn("model", name)}".')
