"""CreateTrainingJob."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.image import ImageReference
from sagestone.domain.place import Place
from sagestone.domain.plan.training import plan_training
from sagestone.domain.rules.training_request import training_request_violations
from sagestone.domain.tags import tag_map
from sagestone.domain.transition import new_training_job
from sagestone.operations.algorithms.algorithm_names import completed_algorithm
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.file_systems import file_system_violations
from sagestone.operations.jobs.training_data import check_training_data
from sagestone.operations.kms.key_ids import training_key_violations
from sagestone.operations.own.images import NamedImage, pin_images
from sagestone.shapes.violation import summary
from sagestone.store.interface import NameTaken
from sagestone.wire.call import Call
from sagestone.wire.errors import ResourceInUse, ValidationException


def create_training_job(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Keep the job, its image pinned to a digest, and leave it to the controller; answers when it is durable.

    Refused: a request that breaks a rule, of its own or of the algorithm that it names (all broken ones in one
    ValidationException), an algorithm that is not there or not Completed, an image that does not exist, channels
    without any data; with ResourceInUse a taken name.
    """
    request = {name: value for name, value in call.parameters.items() if name != "Tags"}
    name = request["TrainingJobName"]
    arn = deps.deployment.arn("training-job", name)
    algorithm = _algorithm(deps, request.get("AlgorithmSpecification") or {})
    specification = algorithm.request["TrainingSpecification"] if algorithm else None
    violations = [
        *training_request_violations(call.parameters, specification),
        *file_system_violations(Place(call.parameters), deps.file_systems),
        *training_key_violations(Place(call.parameters), deps.keys),
    ]
    if violations:
        whose = f" (The specification is that of {algorithm.arn}.)" if algorithm else ""
        raise ValidationException(f"{summary(violations)}{whose}")
    if deps.store.training_job(name) is not None:  # before images are looked up, which may take long
        raise _taken(arn)
    spec = plan_training(
        request,
        deployment=deps.deployment,
        image=_image(deps, request, algorithm),
        specification=specification,
        algorithm_name=algorithm.name if algorithm else None,
    )
    check_training_data(deps, request)
    job = new_training_job(spec, round(deps.clock(), 3))
    try:
        deps.store.add_job(job, tag_map(call.parameters.get("Tags") or ()))
    except NameTaken:
        raise _taken(arn) from None
    deps.hint()
    return {"TrainingJobArn": arn}


def _algorithm(deps: Dependencies, given: Mapping[str, Any]) -> Algorithm | None:
    """The algorithm that the request names, which must be ready to be used; None where it names none."""
    name_or_arn = given.get("AlgorithmName")
    if not name_or_arn:
        return None
    return completed_algorithm(deps, name_or_arn, "a training job")


def _image(deps: Dependencies, request: Mapping[str, Any], algorithm: Algorithm | None) -> ImageReference:
    if algorithm is not None:
        uri = algorithm.request["TrainingSpecification"]["TrainingImage"]
        return ImageReference(uri=uri, digest=algorithm.training_image_digest)
    uri = request["AlgorithmSpecification"]["TrainingImage"]
    (digest,) = pin_images([NamedImage(uri=uri)], deps.image)
    return ImageReference(uri=uri, digest=digest)


def _taken(arn: str) -> ResourceInUse:
    return ResourceInUse(
        "Training job names must be unique within an AWS account and region, and a training job with this name already "
        f"exists ({arn})"
    )
