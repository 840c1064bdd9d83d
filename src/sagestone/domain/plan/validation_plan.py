"""What a validation profile comes to: the training job, the model and the transform job that will be made."""

from dataclasses import dataclass

from sagestone.domain.model import Model
from sagestone.domain.training_job import TrainingJobSpec
from sagestone.domain.transform_job import TransformJobSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPlan:
    """The jobs of one validation, in order; names and ARNs are already given.

    `model` is what the transform serves, made between the jobs; both are None when the algorithm has no
    InferenceSpecification or the profile no TransformJobDefinition.
    The container's `model_uri` is the training job's artifact unless the container definition brings a ModelDataUrl.
    """

    profile_name: str
    training: TrainingJobSpec
    model: Model | None = None
    transform: TransformJobSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """What validates a model package: its model, then the transform job that serves it; names are already given."""

    profile_name: str
    model: Model
    transform: TransformJobSpec
