"""The rules of CreateTrainingJob that the service model cannot say, all of them at once."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sagestone.domain.members.tables import unknown_member_violations
from sagestone.domain.place import Place
from sagestone.domain.rules.specification_metrics import metric_violations
from sagestone.domain.rules.training import training_violations
from sagestone.domain.tags import tag_violations
from sagestone.shapes.violation import Violation

Members = Mapping[str, Any]

#: Members that are refused wherever they say something.
LATER: Final = {
    "ServerlessJobConfig": "there are no serverless jobs; name an image or an algorithm, and instances",
    "MlflowConfig": "there is no MLflow here; leave it out",
    "ModelPackageConfig": "register what was trained with CreateModelPackage instead",
}

#: Booleans that may be false, by their path.
ONLY_FALSE: Final = {
    "RemoteDebugConfig.EnableRemoteDebug": "there is no way into a running container; set it to false",
    "InfraCheckConfig.EnableInfraCheck": "the machine is not checked before a job; set it to false",
    "SessionChainingConfig.EnableSessionTagChaining": "there are no sessions with tags; set it to false",
}

_CLASSIC: Final = "Member must not be null: only serverless jobs do without it, and there are none here"


def training_request_violations(request: Members, specification: Members | None) -> list[Violation]:
    """Every broken rule of a CreateTrainingJob request.

    `specification` is the TrainingSpecification of the algorithm that it names; None: it names an image, or nothing.
    """
    place = Place(request)
    return list(_violations(place, Place(specification)))


def _violations(request: Place, training: Place) -> Iterator[Violation]:
    yield from unknown_member_violations("CreateTrainingJob", request)
    for name in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if request.member(name).value is None:
            yield request.member(name).lacks(_CLASSIC)
    algorithm = request.member("AlgorithmSpecification")
    if algorithm.value is not None:
        yield from _algorithm_violations(algorithm, training)
    if algorithm.value is not None and request.member("ResourceConfig").value is not None:
        yield from training_violations(training, request, algorithm.member("TrainingInputMode"))
    yield from _waiting_violations(request)
    for name, why in LATER.items():
        if request.member(name).value is not None:
            yield request.member(name).unsupported(why)
    for path, why in ONLY_FALSE.items():
        if request.at(*path.split(".")).value:
            yield request.at(*path.split(".")).unsupported(why)
    yield from tag_violations(request.member("Tags"))


def _algorithm_violations(algorithm: Place, training: Place) -> Iterator[Violation]:
    """Exactly one of image and algorithm; an algorithm says itself what is measured and how it starts."""
    name, image = algorithm.member("AlgorithmName"), algorithm.member("TrainingImage")
    if not name and not image:
        yield image.lacks("Member must not be null: a training job needs a TrainingImage or an AlgorithmName")
    if name and image:
        yield image.breaks("Member must be absent: the request names an algorithm, which has its own image")
    if name and algorithm.member("MetricDefinitions"):
        yield algorithm.member("MetricDefinitions").breaks(
            "Member must be absent with AlgorithmName: You can't override the metric definitions for Amazon SageMaker "
            "algorithms, they bring their own"
        )
    else:
        yield from metric_violations(algorithm)
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        if name and algorithm.member(member):
            yield algorithm.member(member).breaks(
                "Member must be absent with AlgorithmName: the image of an algorithm is started with the argument train"
            )
    if training.member("AdditionalS3DataSource"):
        yield name.unsupported("the algorithm has an AdditionalS3DataSource, which a training job cannot be given")
    config = algorithm.member("TrainingImageConfig")
    if config.member("TrainingRepositoryAccessMode").value == "Vpc":
        yield config.member("TrainingRepositoryAccessMode").unsupported(
            "there are no registries of a VPC; use Platform"
        )
    if config.member("TrainingRepositoryAuthConfig"):
        yield config.member("TrainingRepositoryAuthConfig").unsupported(
            "there are no Lambda functions here; log in to the registry with the container engine"
        )


def _waiting_violations(request: Place) -> Iterator[Violation]:
    """Spot capacity is waited for, but not for ever, and never kept warm; other jobs do not say how long they wait."""
    wait = request.at("StoppingCondition", "MaxWaitTimeInSeconds")
    if not request.member("EnableManagedSpotTraining").value:
        if wait.value is not None:
            yield wait.breaks(
                "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
            )
        return
    if wait.value is None and request.member("StoppingCondition").value is not None:
        yield wait.lacks(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )
    warm = request.at("ResourceConfig", "KeepAlivePeriodInSeconds")
    if warm.value:
        yield warm.breaks("Member must be 0 with EnableManagedSpotTraining: spot capacity is not kept in a warm pool")
