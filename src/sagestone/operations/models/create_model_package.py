"""CreateModelPackage."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sagestone.domain.algorithm import Algorithm, StatusItem
from sagestone.domain.model_package import ModelPackage, ModelPackageGroup
from sagestone.domain.plan.package import plan_package
from sagestone.domain.rules.package import package_violations
from sagestone.domain.tags import tag_map
from sagestone.domain.transition import begin_validation, complete_validation
from sagestone.operations.algorithms.algorithm_names import completed_algorithm
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.key_ids import profile_key_violations
from sagestone.operations.models.package_images import of_algorithm, pinned
from sagestone.operations.resource_names import does_not_exist, resource_name
from sagestone.shapes.violation import summary
from sagestone.store.interface import NameTaken, NotFound
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException

Members = Mapping[str, Any]


def create_model_package(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Keep the package; one with a profile is validated by the controller, any other is Completed at once.

    Refused with ValidationException: a request that breaks a rule (all broken ones in one message), a taken name, a
    group or algorithm that is not there, images that do not exist.
    """
    given = {name: value for name, value in call.parameters.items() if name not in ("Tags", "ClientToken")}
    group = _group(deps, given)
    algorithm, artifact = _source(deps, given)
    inference = algorithm.request.get("InferenceSpecification") if algorithm else None
    violations = [
        *package_violations(call.parameters, inference),
        *profile_key_violations(call.parameters, deps.keys),
    ]
    if violations:
        raise ValidationException(summary(violations))
    token = call.parameters.get("ClientToken")
    known = _made_before(deps, given, group, token)
    if known is not None:
        return {"ModelPackageArn": known.arn}
    request = _pinned(deps, given, algorithm, artifact)
    plan = plan_package(request, deployment=deps.deployment, suffix=deps.new_id()[:8])
    name, version = (request["ModelPackageName"], None) if group is None else _next_version(deps, group.name)
    now = round(deps.clock(), 3)
    package = ModelPackage(
        name=name,
        arn=deps.deployment.arn("model-package", name),
        created_at=now,
        modified_at=now,
        request=request,
        group=group.name if group else None,
        version=version,
        client_token=token,
        validation=StatusItem(name=plan.profile_name) if plan else None,
        plan=plan,
    )
    if plan is None:
        package = complete_validation(begin_validation(package))
    try:
        deps.store.add_resource(package, tag_map(call.parameters.get("Tags") or ()))
    except NameTaken:
        raise _taken(package.arn) from None
    except NotFound:
        raise does_not_exist(deps.deployment, "model-package-group", given["ModelPackageGroupName"]) from None
    deps.hint()
    return {"ModelPackageArn": package.arn}


def _group(deps: Dependencies, given: Members) -> ModelPackageGroup | None:
    """The group whose next version is to be made; None for a package with a name of its own."""
    name, group = given.get("ModelPackageName"), given.get("ModelPackageGroupName")
    if name and group:
        raise ValidationException(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to "
            "use."
        )
    if name:
        return None
    if not group:
        raise ValidationException("Missing ARN: the request has neither ModelPackageName nor ModelPackageGroupName.")
    found = deps.store.resource(ModelPackageGroup, resource_name(deps.deployment, "model-package-group", group))
    if found is None:
        raise does_not_exist(deps.deployment, "model-package-group", group)
    return found


def _source(deps: Dependencies, given: Members) -> tuple[Algorithm | None, str | None]:
    """The algorithm that the package is made of, and the archive that it is to serve."""
    sources = (given.get("SourceAlgorithmSpecification") or {}).get("SourceAlgorithms")
    if not sources:
        return None, None
    return completed_algorithm(deps, sources[0]["AlgorithmName"], "a model package"), sources[0].get("ModelDataUrl")


def _made_before(
    deps: Dependencies, given: Members, group: ModelPackageGroup | None, token: str | None
) -> ModelPackage | None:
    """What an earlier try of the same request has made; raises ValidationException for a name that others took."""
    name = given["ModelPackageName"] if group is None else f"{group.name}/{group.last_version}"
    package = deps.store.resource(ModelPackage, name)
    if package is not None and token is not None and package.client_token == token:
        return package
    if package is not None and group is None:
        raise _taken(package.arn)
    return None


def _pinned(deps: Dependencies, given: Members, algorithm: Algorithm | None, artifact: str | None) -> dict[str, Any]:
    """The request as it is kept: images with digests, the algorithm's specification copied, defaults filled in."""
    request = dict(given)
    if algorithm is not None:
        source = {**given["SourceAlgorithmSpecification"]["SourceAlgorithms"][0], "AlgorithmName": algorithm.arn}
        request["SourceAlgorithmSpecification"] = {"SourceAlgorithms": [source]}
        request["InferenceSpecification"] = of_algorithm(algorithm, artifact)
    elif given.get("InferenceSpecification"):
        request["InferenceSpecification"] = pinned(deps, given["InferenceSpecification"], "inferenceSpecification")
    if given.get("AdditionalInferenceSpecifications"):
        request["AdditionalInferenceSpecifications"] = [
            pinned(deps, each, f"additionalInferenceSpecifications.{number}.member")
            for number, each in enumerate(given["AdditionalInferenceSpecifications"], 1)
        ]
    if given.get("ModelPackageGroupName"):
        request["ModelPackageGroupName"] = resource_name(
            deps.deployment, "model-package-group", given["ModelPackageGroupName"]
        )
        request.setdefault("ModelApprovalStatus", "PendingManualApproval")
    return request


def _next_version(deps: Dependencies, group: str) -> tuple[str, int]:
    try:
        counted = deps.store.change_resource(
            ModelPackageGroup, group, lambda known: replace(known, last_version=known.last_version + 1)
        )
    except NotFound:
        raise does_not_exist(deps.deployment, "model-package-group", group) from None
    return f"{group}/{counted.last_version}", counted.last_version


def _taken(arn: str) -> ValidationException:
    return ValidationException(f"ModelPackage already exists: {arn}")
