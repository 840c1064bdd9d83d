"""boto3 as a patient person uses it: what a dead server did not answer is asked again."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from tests.system.service import RunningService

Result = TypeVar("Result")

_PATIENCE_SECONDS = 120.0
_ONCE = {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 60}


class Client:
    """The services of one endpoint, SageMaker and its neighbours."""

    def __init__(self, service: RunningService) -> None:
        self.sagemaker, self.s3, self.logs, self.metrics = (
            service.client(name, **_ONCE) for name in ("sagemaker", "s3", "logs", "cloudwatch")
        )

    def create(self, request: dict[str, Any]) -> None:
        """Create the algorithm, also when the answer to an earlier try was lost."""

        def once() -> None:
            try:
                self.sagemaker.create_algorithm(**request)
            except ClientError as error:
                if "already exists" not in str(error):
                    raise

        patiently(once)

    def jobs(self, algorithm: str) -> dict[str, dict[str, Any]]:
        """The descriptions of its training and transform job, as far as there are such."""
        found = {}
        for kind, title in (("training", "Training"), ("transform", "Transform")):
            listed = getattr(self.sagemaker, f"list_{kind}_jobs")(NameContains=algorithm)[f"{title}JobSummaries"]
            for row in listed:
                name = row[f"{title}JobName"]
                found[kind] = getattr(self.sagemaker, f"describe_{kind}_job")(**{f"{title}JobName": name})
        return found

    def objects(self, bucket: str, prefix: str) -> dict[str, bytes]:
        """All objects below a prefix."""
        listed = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        return {row["Key"]: self.s3.get_object(Bucket=bucket, Key=row["Key"])["Body"].read() for row in listed}

    def log_lines(self, group: str, job: str) -> dict[str, list[str]]:
        """Every line of every stream of a job, by stream."""
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        return {stream["logStreamName"]: self._lines(group, stream["logStreamName"]) for stream in streams}

    def _lines(self, group: str, stream: str) -> list[str]:
        lines: list[str] = []
        place: dict[str, str] = {}
        while True:
            page = self.logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **place)
            lines += [event["message"] for event in page["events"]]
            if place.get("nextToken") == page["nextForwardToken"]:
                return lines
            place = {"nextToken": page["nextForwardToken"]}


def patiently(ask: Callable[[], Result]) -> Result:
    """What `ask` says, asked again as long as nobody answers; what is refused is raised."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except (ConnectionError, HTTPClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
