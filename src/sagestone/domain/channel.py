"""A training channel as one host of a job receives it."""

from dataclasses import dataclass
from typing import Literal

InputMode = Literal["File", "Pipe", "FastFile"]
S3DataType = Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile"]
Distribution = Literal["FullyReplicated", "ShardedByS3Key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One entry of InputDataConfig with every default filled in (shape Channel)."""

    name: str
    s3_data_type: S3DataType
    s3_uri: str
    distribution: Distribution
    input_mode: InputMode
    content_type: str | None = None
    compression: Literal["None", "Gzip"] = "None"
    record_wrapper: Literal["None", "RecordIO"] = "None"
    shuffle_seed: int | None = None
    attribute_names: tuple[str, ...] = ()  # of an augmented manifest: what is streamed of each line, in this order
    instance_groups: tuple[str, ...] = ()  # names of the groups whose hosts receive it; empty: all hosts
