"""Looks whether there is anything in a training job's channels, as the service does when the job is created."""

import logging
from collections.abc import Mapping
from typing import Any

from sagestone.operations.dependencies import Dependencies
from sagestone.s3.client import NoSuchBucket, NoSuchKey, S3Failure
from sagestone.s3.uri import S3Uri
from sagestone.wire.errors import ValidationException

_LOG = logging.getLogger(__name__)


def check_training_data(deps: Dependencies, request: Mapping[str, Any]) -> None:
    """Raises ValidationException in the service's words for the first channel without an object.

    A store that does not answer is no reason to refuse: the job finds out whether it answers later.
    """
    for channel in request.get("InputDataConfig") or ():
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            continue  # a file system: what is there was looked at with the rules
        try:
            place = S3Uri.parse(source["S3Uri"])
        except ValueError as error:
            raise ValidationException(f"Channel {channel['ChannelName']}: {error}") from error
        try:
            found = _is_there(deps, place, source["S3DataType"])
        except (NoSuchBucket, NoSuchKey):
            found = False
        except S3Failure as error:
            _LOG.warning("the data of channel %s could not be looked up: %s", channel["ChannelName"], error)
            continue
        if not found:
            raise _nothing_there(deps, request, source["S3Uri"], place.bucket)


def _is_there(deps: Dependencies, place: S3Uri, data_type: str) -> bool:
    """Whether an object begins with the prefix, or the manifest exists."""
    if data_type == "S3Prefix":
        return next(iter(deps.s3.list(place)), None) is not None
    deps.s3.head(place)
    return True


def _nothing_there(deps: Dependencies, request: Mapping[str, Any], uri: str, bucket: str) -> ValidationException:
    return ValidationException(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({deps.deployment.region}), that objects exist under that S3 prefix, and that the role "
        f'"{request["RoleArn"]}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )
