"""The TensorBoard output of a training job: a directory of the container whose files go to S3 while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_LOCAL_PATH: Final = "/opt/ml/output/tensorboard"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorBoard:
    """A TensorBoardOutputConfig with its default filled in."""

    s3_output_path: str
    local_path: str = DEFAULT_LOCAL_PATH

    def place(self, job_name: str) -> str:
        """The URI below which the files lie: where the SageMaker Python SDK looks for them."""
        return f"{self.s3_output_path.rstrip('/')}/{job_name}/tensorboard-output/"


def tensorboard_of(config: Mapping[str, Any] | None) -> TensorBoard | None:
    """What the TensorBoardOutputConfig of a request comes to; None where there is none."""
    if config is None:
        return None
    return TensorBoard(s3_output_path=config["S3OutputPath"], local_path=config.get("LocalPath") or DEFAULT_LOCAL_PATH)
