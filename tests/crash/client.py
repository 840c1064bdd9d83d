"""boto3 as a patient person uses it: what a dead server did not answer is asked again."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any, TypeVar

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from sagestone.shapes.own_model import SERVICE, TARGET_PREFIX
from tests.system.service import REGION, RunningService

Result = TypeVar("Result")

_PATIENCE_SECONDS = 120.0
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
_ABSENT = "ResourceNotFoundException"


class Client:
    """What one account sees of one or more services on one database; its objects are kept by `store`."""

    def __init__(self, services: Sequence[RunningService], store: RunningService, keys: tuple[str, str]) -> None:
        session = boto3.Session(aws_access_key_id=keys[0], aws_secret_access_key=keys[1], region_name=REGION)
        self._made = [
            {
                name: session.client(name, endpoint_url=service.endpoint, config=_ONCE)
                for name in ("sagemaker", "logs", "cloudwatch")
            }
            for service in services
        ]
        self._turns = cycle(self._made)
        self._endpoint, self._keys = services[0].endpoint, session.get_credentials()
        own = session if store in services else boto3.Session(*store.keys(), region_name=REGION)
        self.s3, self.kms = (own.client(name, endpoint_url=store.endpoint, config=_ONCE) for name in ("s3", "kms"))

    @property
    def sagemaker(self) -> Any:
        """Of each service in turn."""
        return next(self._turns)["sagemaker"]

    @property
    def metrics(self) -> Any:
        return next(self._turns)["cloudwatch"]

    def create(self, call: str, request: dict[str, Any]) -> None:
        """Ask for it, also when the answer to an earlier try was lost."""

        def once() -> None:
            try:
                getattr(self.sagemaker, call)(**request)
            except ClientError as error:
                if "already" not in str(error):
                    raise

        patiently(once)

    def interrupt(self, name: str) -> bool:
        """Take the instances of that spot job away; False when it is refused, as it has none."""
        target = f"{TARGET_PREFIX}.InterruptTrainingJob"
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        body = json.dumps({"TrainingJobName": name}).encode()

        def once() -> bool:
            signed = AWSRequest("POST", f"{self._endpoint}/", headers=headers, data=body)
            SigV4Auth(self._keys, SERVICE, REGION).add_auth(signed)
            try:
                with urllib.request.urlopen(
                    urllib.request.Request(signed.url, data=body, headers=dict(signed.headers)), timeout=60
                ):
                    return True
            except urllib.error.HTTPError as refusal:
                if refusal.code != 400:
                    raise
                return False

        return patiently(once)

    def job(self, kind: str, name: str) -> dict[str, Any]:
        """The description of a training or transform job."""
        described = patiently(
            lambda: getattr(self.sagemaker, f"describe_{kind}_job")(**{f"{kind.capitalize()}JobName": name})
        )
        return dict(described)

    def jobs(self, algorithm: str) -> dict[str, dict[str, Any]]:
        """The descriptions of its training and transform job, as far as there are such."""
        found = {}
        for kind, title in (("training", "Training"), ("transform", "Transform")):
            listed = getattr(self.sagemaker, f"list_{kind}_jobs")(NameContains=algorithm)[f"{title}JobSummaries"]
            for row in listed:
                found[kind] = self.job(kind, row[f"{title}JobName"])
        return found

    def objects(self, bucket: str, prefix: str) -> dict[str, bytes]:
        """All objects below a prefix."""
        listed = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        return {row["Key"]: self.s3.get_object(Bucket=bucket, Key=row["Key"])["Body"].read() for row in listed}

    def log_lines(self, group: str, job: str) -> dict[str, list[str]]:
        """Every line of every stream of a job, by stream; logs are kept by the service that ran it."""
        found: dict[str, list[str]] = {}
        for clients in self._made:
            logs = clients["logs"]
            try:
                streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
            except ClientError as error:
                if error.response["Error"]["Code"] != _ABSENT:
                    raise
                continue
            for name in (stream["logStreamName"] for stream in streams):
                found[name] = [*found.get(name, []), *_lines(logs, group, name)]
        return found


def _lines(logs: Any, group: str, stream: str) -> list[str]:
    lines: list[str] = []
    place: dict[str, str] = {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **place)
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
        except urllib.error.HTTPError:
            raise
        except (ConnectionError, HTTPClientError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise
        except ClientError as error:
            if error.response["Error"]["Code"] != "ServiceUnavailable" or time.monotonic() > deadline:
                raise  # that is how a service says that its database is away
        time.sleep(0.05)
