"""Looks whether the archive that a model names is there, as the service does when the model is created."""

from sagestone.operations.dependencies import Dependencies
from sagestone.s3.client import S3Failure
from sagestone.s3.uri import S3Uri
from sagestone.wire.errors import ValidationException


def check_model_data(deps: Dependencies, uri: str, role: str | None) -> None:
    """Raises ValidationException in the service's words, followed by what S3 said."""
    try:
        deps.s3.head(S3Uri.parse(uri))
    except (S3Failure, ValueError) as error:
        shown = role or "null"
        raise ValidationException(
            f'Could not access model data at {uri}. Please ensure that the role "{shown}" exists and that its trust '
            'relationship policy allows the action "sts:AssumeRole" for the service principal '
            '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the object '
            f"is located in {deps.deployment.region}. ({error})"
        ) from error
