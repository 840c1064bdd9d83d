"""CreateTransformJob."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.place import Place
from sagestone.domain.plan.transform import plan_transform
from sagestone.domain.rules.transform_request import limit_violations, model_refusal, transform_request_violations
from sagestone.domain.tags import tag_map
from sagestone.domain.transition import new_transform_job
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.jobs.jobs import name_taken
from sagestone.operations.kms.key_ids import transform_key_violations
from sagestone.operations.models.models import find_model
from sagestone.shapes.violation import summary
from sagestone.store.interface import NameTaken
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException


def create_transform_job(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Keep the job and leave it to the controller; answers when it is durable.

    Refused with ValidationException: a request that breaks a rule (all broken ones in one message), a model that does
    not exist or that only endpoints could serve. A taken name is ResourceInUse.
    """
    violations = transform_request_violations(call.parameters)
    violations += transform_key_violations(Place(call.parameters), deps.keys)
    if violations:
        raise ValidationException(summary(violations))
    request = {name: value for name, value in call.parameters.items() if name != "Tags"}
    model = find_model(deps, request["ModelName"])
    refusal = model_refusal(model)
    if refusal is not None:
        raise ValidationException(refusal)
    if model.limits is not None and (beyond := limit_violations(request, model.limits)):
        raise ValidationException(f"{summary(beyond)} (These lists are of the model package of {model.arn}.)")
    spec = plan_transform(request, model=model, name=request["TransformJobName"], deployment=deps.deployment)
    try:
        deps.store.add_job(
            new_transform_job(spec, round(deps.clock(), 3)), tag_map(call.parameters.get("Tags") or ())
        )  # fmt: skip
    except NameTaken:
        raise name_taken(spec.arn) from None
    deps.hint()
    return {"TransformJobArn": spec.arn}
