"""CreateModel."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.model import Model
from sagestone.domain.rules.model import model_violations
from sagestone.domain.tags import tag_map
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.models.model_containers import model_containers
from sagestone.shapes.violation import summary
from sagestone.store.interface import NameTaken
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException


def create_model(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Keep the model, its images pinned to the digests that they have now; answers when it is durable.

    Refused with ValidationException: a request that breaks a rule (all broken ones in one message), a taken name,
    images that do not exist, an archive where nothing lies, a model package that is not ready.
    """
    violations = model_violations(call.parameters)
    if violations:
        raise ValidationException(summary(violations))
    request = {name: value for name, value in call.parameters.items() if name != "Tags"}
    name = request["ModelName"]
    arn = deps.deployment.arn("model", name)
    if deps.store.resource(Model, name) is not None:  # before images are looked up, which may take long
        raise _taken(arn)
    containers, limits = model_containers(deps, request)
    model = Model(
        name=name,
        arn=arn,
        created_at=round(deps.clock(), 3),
        request=request,
        containers=containers,
        limits=limits,
    )
    try:
        deps.store.add_resource(model, tag_map(call.parameters.get("Tags") or ()))
    except NameTaken:
        raise _taken(arn) from None
    return {"ModelArn": arn}


def _taken(arn: str) -> ValidationException:
    return ValidationException(f'Cannot create already existing model "{arn}".')
