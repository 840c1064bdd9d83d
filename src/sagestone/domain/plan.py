"""What a validation profile comes to: the training job and the transform job that will run."""

from dataclasses import dataclass

from sagestone.domain.training_job import TrainingJobSpec
from sagestone.domain.transform_job import TransformJobSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPlan:
    """The jobs of one validation, in order; names and ARNs are already given.

    `transform` is None when the algorithm has no InferenceSpecification or the profile no TransformJobDefinition.
    Its container's `model_uri` is the training job's artifact unless the container definition brings a ModelDataUrl.
    """

    profile_name: str
    training: TrainingJobSpec
    transform: TransformJobSpec | None = None
