"""CreateAlgorithm."""

from collections.abc import Mapping
from typing import Any, Final

from sagestone.domain.algorithm import Algorithm, StatusItem
from sagestone.domain.place import Place
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
from sagestone.wire.operation import Answer, Later

#: Characters of all metrics' expressions, without counted repeats, that are compiled within milliseconds.
_QUICKLY_COMPILED: Final = 1000


def create_algorithm(deps: Dependencies, call: Call) -> Answer:
    """Register the algorithm and leave its validation to the controller; answers when it is durable.

    Refused with ValidationException: a request that breaks a rule (all broken ones in one message), a taken name, an
    image that does not exist or has not the digest that the request names.
    """
    return _begin(deps, call).answer()


def begin_create_algorithm(deps: Dependencies, call: Call) -> Later | None:
    """The same but for the wait for the disk; None where an engine must be asked for images, a mount looked at, or
    expressions compiled that may have been made to take long."""
    request = call.parameters
    waits = not deps.images_at_hand or _names_file_system(request) or _has_long_expressions(request)
    return None if waits else _begin(deps, call)


def _begin(deps: Dependencies, call: Call) -> Later:
    algorithm = _checked(deps, call)
    stored = deps.store.begin_add_algorithm(algorithm, tag_map(call.parameters.get("Tags") or ()))

    def answer() -> Answer:
        try:
            stored.result()
        except NameTaken:
            raise _taken(algorithm.arn) from None
        if algorithm.plan is not None:
            deps.hint()
        return {"AlgorithmArn": algorithm.arn}

    return Later(stored=stored, answer=answer)


def _checked(deps: Dependencies, call: Call) -> Algorithm:
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
    if not deps.images_at_hand and deps.store.algorithm_document(name) is not None:  # the look may take long
        raise _taken(arn)
    try:
        training_digest, container_digests = resolve_images(request, deps.image)
    except ValidationException:
        if deps.store.algorithm_document(name) is not None:
            raise _taken(arn) from None
        raise
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
    # Without a plan there is nothing to wait for.
    return algorithm if plan is not None else complete_validation(begin_validation(algorithm))


def _names_file_system(request: Mapping[str, Any]) -> bool:
    return any(
        channel.at("DataSource", "FileSystemDataSource").value is not None
        for profile in Place(request).at("ValidationSpecification", "ValidationProfiles").elements()
        for channel in profile.at("TrainingJobDefinition", "InputDataConfig").elements()
    )


def _has_long_expressions(request: Mapping[str, Any]) -> bool:
    definitions = request["TrainingSpecification"].get("MetricDefinitions") or ()
    expressions = [definition["Regex"] for definition in definitions]
    return sum(map(len, expressions)) > _QUICKLY_COMPILED or any("{" in expression for expression in expressions)


def _taken(arn: str) -> ValidationException:
    return ValidationException(f'Cannot create already existing algorithm "{arn}".')
