"""The rules of CreateAlgorithm that the service model cannot say, all of them at once.

The request satisfies the service model already. A rule refuses what could never work, what contradicts the
specification's own declarations, and what this service would otherwise have to ignore; it never refuses what SageMaker
is known to accept and this service can honour or simply keep.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sagestone.domain.members.tables import unknown_member_violations
from sagestone.domain.place import Place
from sagestone.domain.rules.profile import profile_violations
from sagestone.domain.rules.specification_channels import channel_violations
from sagestone.domain.rules.specification_hyperparameters import hyperparameter_violations
from sagestone.domain.rules.specification_inference import inference_violations
from sagestone.domain.rules.specification_marketplace import marketplace_violations
from sagestone.domain.rules.specification_metrics import metric_violations
from sagestone.domain.tags import tag_violations
from sagestone.shapes.violation import Violation


def specification_violations(request: Mapping[str, Any]) -> list[Violation]:
    """Every broken rule of a CreateAlgorithm request, in the order of its members."""
    return list(_violations(Place(request)))


def _violations(request: Place) -> Iterator[Violation]:
    yield from unknown_member_violations("CreateAlgorithm", request)
    training = request.member("TrainingSpecification")
    yield from hyperparameter_violations(training)
    yield from metric_violations(training)
    yield from channel_violations(training)
    yield from inference_violations(request.member("InferenceSpecification"))
    yield from profile_violations(request)
    yield from marketplace_violations(request)
    yield from tag_violations(request.member("Tags"))
