"""Follows a validation through the API, as any AWS client could: statuses, log lines, metrics."""

import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from sagestone.cli.sight import JobKind, Sight
from sagestone.cli.validation_job import validation_job
from sagestone.domain.metric import MetricDefinition
from sagestone.domain.metric_scraper import MetricScraper

_GROUPS: dict[JobKind, str] = {"training": "/aws/sagemaker/TrainingJobs", "transform": "/aws/sagemaker/TransformJobs"}
_POLL_SECONDS = 0.1


class ValidationFollower:
    """Watches one algorithm until its status is final."""

    def __init__(self, sagemaker: Any, logs: Any, algorithm: str) -> None:
        self._sagemaker = sagemaker
        self._logs = logs
        self.algorithm = algorithm
        self._seen: dict[str, str] = {}
        self._positions: dict[str, str | None] = {}
        self._scraper: MetricScraper | None = None
        self._job_name: str | None = None
        self.description: dict[str, Any] = {}
        self.jobs: dict[JobKind, dict[str, Any]] = {}

    def follow(self) -> Iterator[Sight]:
        """Everything new, until the algorithm is Completed or Failed."""
        while True:
            self.description = self._sagemaker.describe_algorithm(AlgorithmName=self.algorithm)
            finished = self.description["AlgorithmStatus"] in ("Completed", "Failed")
            jobs = [*self._look_at_training(), *self._look_at_transform()]
            if self.jobs and self.description["AlgorithmStatus"] == "Pending":  # no longer: what we saw is older
                self.description = self._sagemaker.describe_algorithm(AlgorithmName=self.algorithm)
            yield from sorted([*self._look_at_algorithm(), *jobs], key=lambda sight: sight.at)
            if finished:
                return
            time.sleep(_POLL_SECONDS)

    def abandon(self) -> None:
        """Stop the validation's jobs, and wait until the algorithm's status is final."""
        while True:
            self.description = self._sagemaker.describe_algorithm(AlgorithmName=self.algorithm)
            if self.description["AlgorithmStatus"] in ("Completed", "Failed"):
                return
            for kind in ("training", "transform"):
                job = self._job(kind)
                if job is not None and job[f"{kind.capitalize()}JobStatus"] == "InProgress":
                    self._stop(kind, job[f"{kind.capitalize()}JobName"])
            time.sleep(_POLL_SECONDS)

    def _stop(self, kind: str, name: str) -> None:
        try:
            getattr(self._sagemaker, f"stop_{kind}_job")(**{f"{kind.capitalize()}JobName": name})
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":  # it has ended meanwhile
                raise

    def _look_at_algorithm(self) -> Iterator[Sight]:
        status, at = self.description["AlgorithmStatus"], time.time()
        if not self._is_new("algorithm", status):
            return
        if status == "InProgress" and "training" in self.jobs:  # it was before its first job was made
            at = min(at, self.jobs["training"]["CreationTime"].timestamp())
        yield Sight(kind="algorithm", at=at, subject=self.algorithm, text=status, status=status)

    def _look_at_training(self) -> Iterator[Sight]:
        job = self._job("training")
        if job is None:
            return
        name = job["TrainingJobName"]
        for transition in job.get("SecondaryStatusTransitions", ()):
            status, message = transition["Status"], transition.get("StatusMessage", "")
            if self._is_new(f"training:{transition['StartTime']}:{status}", message):
                at = transition["StartTime"].timestamp()
                yield Sight(kind="training", at=at, subject=name, text=message, status=status)
        if self._scraper is None:
            definitions = job.get("AlgorithmSpecification", {}).get("MetricDefinitions", ())
            found = [MetricDefinition(name=item["Name"], regex=item["Regex"]) for item in definitions]
            self._scraper = MetricScraper(found)
        yield from self._read_logs("training", name)

    def _look_at_transform(self) -> Iterator[Sight]:
        job = self._job("transform")
        if job is None:
            return
        name = job["TransformJobName"]
        if self._is_new("transform", job["TransformJobStatus"]):
            at = job.get("TransformEndTime", job["CreationTime"]).timestamp()
            status = job["TransformJobStatus"]
            yield Sight(kind="transform", at=at, subject=name, text=job.get("FailureReason", ""), status=status)
        yield from self._read_logs("transform", name)

    def _job(self, kind: JobKind) -> dict[str, Any] | None:
        """The validation's job of this kind as Describe shows it; None while there is none."""
        if self._job_name is None:
            self._job_name = validation_job(self._sagemaker, self.description)
        if self._job_name is None:
            return None
        try:
            if kind == "training":
                described = self._sagemaker.describe_training_job(TrainingJobName=self._job_name)
            else:
                described = self._sagemaker.describe_transform_job(TransformJobName=self._job_name)
        except ClientError as error:
            if "not found" in error.response["Error"]["Message"]:
                return None  # the transform job comes after the training job
            raise
        self.jobs[kind] = described
        return self.jobs[kind]

    def _read_logs(self, kind: JobKind, job: str) -> Iterator[Sight]:
        group = _GROUPS[kind]
        try:
            streams = self._logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return  # nothing was logged yet
            raise
        for stream in streams:
            yield from self._read_stream(group, stream["logStreamName"])

    def _read_stream(self, group: str, stream: str) -> Iterator[Sight]:
        while True:
            token = self._positions.get(stream)
            page = self._logs.get_log_events(
                logGroupName=group, logStreamName=stream, startFromHead=True, **({"nextToken": token} if token else {})
            )
            self._positions[stream] = page["nextForwardToken"]
            if not page["events"]:
                return
            for event in page["events"]:
                at = event["timestamp"] / 1000
                yield Sight(kind="log", at=at, subject=stream, text=event["message"])
                for point in self._scraper.find(event["message"], at) if self._scraper else ():
                    yield Sight(kind="metric", at=at, subject=point.name, text=f"{point.value:g}")

    def _is_new(self, subject: str, text: str) -> bool:
        if self._seen.get(subject) == text:
            return False
        self._seen[subject] = text
        return True
