"""Rules of Search that the service model cannot say, and which properties there are to search by."""

from collections.abc import Iterator
from typing import Final

from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation

_MOST_CONDITIONS: Final = 50  # documented

_TRAINING_JOB: Final = """
    TrainingJobName TrainingJobArn ModelArtifacts TrainingJobStatus SecondaryStatus FailureReason HyperParameters
    AlgorithmSpecification RoleArn InputDataConfig OutputDataConfig ResourceConfig WarmPoolStatus VpcConfig
    StoppingCondition CreationTime TrainingStartTime TrainingEndTime LastModifiedTime SecondaryStatusTransitions
    FinalMetricDataList EnableNetworkIsolation EnableInterContainerTrafficEncryption EnableManagedSpotTraining
    CheckpointConfig TrainingTimeInSeconds BillableTimeInSeconds DebugHookConfig ExperimentConfig
    DebugRuleConfigurations TensorBoardOutputConfig ProfilerConfig Environment RetryStrategy Tags Metrics
"""
_MODEL_PACKAGE: Final = """
    ModelPackageName ModelPackageGroupName ModelPackageVersion ModelPackageRegistrationType ModelPackageArn
    ModelPackageDescription CreationTime InferenceSpecification SourceAlgorithmSpecification
    ValidationSpecification ModelPackageStatus ModelPackageStatusDetails CertifyForMarketplace
    ModelApprovalStatus MetadataProperties ModelMetrics LastModifiedTime ApprovalDescription Domain Task
    SamplePayloadUrl AdditionalInferenceSpecifications SourceUri ModelCard ModelLifeCycle Tags
    CustomerMetadataProperties DriftCheckBaselines SkipModelValidation
"""
_MODEL_PACKAGE_GROUP: Final = """
    ModelPackageGroupName ModelPackageGroupArn ModelPackageGroupDescription CreationTime ModelPackageGroupStatus Tags
"""

#: What each resource can be searched by: the members that its SearchRecord shows here, and the metrics of jobs.
PROPERTIES: Final = {
    "TrainingJob": frozenset(_TRAINING_JOB.split()),
    "ModelPackage": frozenset(_MODEL_PACKAGE.split()),
    "ModelPackageGroup": frozenset(_MODEL_PACKAGE_GROUP.split()),
}


def search_violations(request: Place) -> list[Violation]:
    """Every broken rule of a Search for a resource of PROPERTIES."""
    return list(_violations(request))


def _violations(request: Place) -> Iterator[Violation]:
    known = PROPERTIES[str(request.member("Resource").value)]
    by = request.member("SortBy")
    if by and _first(by) not in known | {"LastModifiedTime"}:
        yield by.breaks(f"Unknown property name: {by.value}")
    expression = request.member("SearchExpression")
    if expression.value is None:
        return
    expressions = _expressions(expression)
    filters = [each for inner in expressions for each in _filters(inner)]
    conditions = len(filters) + len(expressions) - 1 + sum(len(_nested(inner)) for inner in expressions)
    if conditions > _MOST_CONDITIONS:  # before anything follows how they are nested
        yield expression.breaks(f"Member must have at most {_MOST_CONDITIONS} conditions, not {conditions}")
        return
    for inner in expressions:
        yield from _expression_violations(inner)
    for each in filters:
        yield from _filter_violations(each, known)
    if sum(each.member("Operator").value == "Contains" for each in filters) > 1:
        yield expression.breaks("'CONTAINS' operator usage limit of 1 exceeded.")


def _expressions(expression: Place) -> list[Place]:
    """The expression, its subexpressions, and theirs."""
    found = [expression]
    for each in found:  # which grows meanwhile
        found.extend(each.member("SubExpressions").elements())
    return found


def _nested(expression: Place) -> list[Place]:
    return list(expression.member("NestedFilters").elements())


def _filters(expression: Place) -> Iterator[Place]:
    """Its own and those nested in it, not those of its subexpressions."""
    yield from expression.member("Filters").elements()
    for nested in _nested(expression):
        yield from nested.member("Filters").elements()


def _expression_violations(expression: Place) -> Iterator[Violation]:
    if not any(expression.member(name) for name in ("Filters", "NestedFilters", "SubExpressions")):
        yield expression.breaks("Member must have a filter, a nested filter or a subexpression")
    for nested in _nested(expression):
        within = nested.member("NestedPropertyName").value
        for each in nested.member("Filters").elements():
            if not str(each.member("Name").value).startswith(f"{within}."):
                yield each.member("Name").breaks(f"Member must begin with {within}. as the filters nested there do")


def _filter_violations(given: Place, known: frozenset[str]) -> Iterator[Violation]:
    name, operator = given.member("Name"), given.member("Operator").value or "Equals"
    if _first(name) not in known:
        yield name.breaks(f"Unknown property name: {name.value}")
    if operator not in ("Exists", "NotExists") and given.member("Value").value is None:
        yield given.member("Value").lacks(f"Member must not be null: {operator} compares with it")


def _first(name: Place) -> str:
    return str(name.value).partition(".")[0]
