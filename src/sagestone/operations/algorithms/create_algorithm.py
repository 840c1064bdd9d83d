"""CreateAlgorithm."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.algorithm import Algorithm, StatusItem
from sagestone.domain.plan.algorithm import plan_validation
from sagestone.domain.rules.specification import specification_violations
from sagestone.domain.tags import tag_map
from sagestone.domain.transition import begin_validation, complete_validation
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.file_systems import algorithm_file_system_violations
from sagestone.operations.kms.key_ids import profile_key_violations
from sagestone.operations.own.images import resolve_images
from sagestone.shapes.violation import summary
from sagestone.store.interface import NameTaken
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException


def create_algorithm(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Register the algorithm and leave its validation to the controller; answers when it is durable.

    Refused with ValidationException: a request that breaks a rule (all broken ones in one message), a taken name, an
    image that does not exist or has not the digest that the request names.
    """
    request = {name: value for name, value in call.parameters.items() if name != "Tags"}
    name = request["AlgorithmName"]
    arn = deps.deployment.arn("algorithm", name)
    violations = [
        *specification_violations(call.parameters),
        *algorithm_file_system_violations(call.parameters, deps.file_systems),
        *profile_key_violations(call.parameters, deps.keys),
    ]
    if violations:
        raise ValidationException(summary(violations))
    if deps.store.algorithm_document(name) is not None:  # before images are looked up, which may take long
        raise _taken(arn)
    training_digest, container_digests = resolve_images(request, deps.image)
    plan = plan_validation(
        request,
        deployment=deps.deployment,
        training_image_digest=training_digest,
        container_image_digests=container_digests,
        suffix=deps.new_id()[:8],
    )
    algorithm = Algorithm(
        name=name,
        arn=arn,
        created_at=round(deps.clock(), 3),
        request=request,
        training_image_digest=training_digest,
        container_image_digests=container_digests,
        validation=StatusItem(name=plan.profile_name) if plan else None,
        plan=plan,
    )
    if plan is None:  # there is nothing to wait for
        algorithm = complete_validation(begin_validation(algorithm))
    try:
        deps.store.add_algorithm(algorithm, tag_map(call.parameters.get("Tags") or ()))
    except NameTaken:
        raise _taken(arn) from None
    if plan is not None:
        deps.hint()
    return {"AlgorithmArn": arn}


def _taken(arn: str) -> ValidationException:
    return ValidationException(f'Cannot create already existing algorithm "{arn}".')
