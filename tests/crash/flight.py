"""The validations and jobs that are under way, each checked when it has ended."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.crash import check_training, check_transform, facts, journals
from tests.crash.client import Client, patiently
from tests.crash.facts import Hit
from tests.crash.journals import Journals
from tests.crash.ledger import Account, accounts, accounts_by_log
from tests.crash.requests import bucket_of, create_request
from tests.crash.scenario import Scenario
from tests.crash.warmth import Warmth
from tests.crash.world import World

_PATIENCE_SECONDS = 180.0


@dataclass(slots=True, kw_only=True)
class Flown:
    """One of them, and what has hit it."""

    scenario: Scenario
    hits: list[Hit] = field(default_factory=list)

    @property
    def heard_all(self) -> bool:
        """Whether all was kept that programs wrote: no disk was full, and no engine away, which hears nothing then."""
        return not any(hit.what in ("disk", "engine") for hit in self.hits)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of them."""

    completed: int = 0
    failed: int = 0
    complaints: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)  # of those that failed as they may


class Flight:
    """Keeps so many under way."""

    def __init__(self, world: World, *, size: int, scenarios: Iterator[Scenario], tally: Tally) -> None:
        self._world, self._size, self._tally = world, size, tally
        self._scenarios = scenarios
        self._under_way: list[Flown] = []
        self._warmth = Warmth()
        self._journals = Journals()

    def top_up(self) -> None:
        """Create what is missing."""
        while len(self._under_way) < self._size:
            flown = Flown(scenario=next(self._scenarios))
            self._client(flown).create(*create_request(flown.scenario))
            self._under_way.append(flown)

    def note(self, hits: Sequence[Hit]) -> None:
        """Remember whom they met."""
        for hit in hits:
            for flown in self._under_way:
                if not hit.instance or flown.scenario.name in hit.instance:
                    flown.hits.append(hit)

    def settle(self) -> None:
        """Check those that have ended."""
        self._journals.look(self._world.homes)
        for flown in list(self._under_way):
            status, reason = self._end_of(flown)
            if status in ("Completed", "Failed", "Stopped"):
                self._under_way.remove(flown)
                self._check(flown, status, reason)

    def drain(self) -> None:
        """Wait until all have ended, and end the warm pools that they left."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._under_way and time.monotonic() < deadline:
            self.settle()
            time.sleep(0.05)
        for flown in self._under_way:
            jobs = self._client(flown).jobs(flown.scenario.name)
            shown = [(kind, job.get("SecondaryStatus") or job.get("TransformJobStatus")) for kind, job in jobs.items()]
            self._complain(flown, f"it does not end: {shown}")
        self._under_way.clear()
        self._tally.complaints += self._warmth.end(time.monotonic() + _PATIENCE_SECONDS)

    def _client(self, flown: Flown) -> Client:
        return self._world.theirs if flown.scenario.theirs else self._world.client

    def _end_of(self, flown: Flown) -> tuple[str, str]:
        """Its status and the reason of its failure."""
        client, name = self._client(flown), flown.scenario.name
        if flown.scenario.kind != "validation":
            job = client.job("training", name)
            return job["TrainingJobStatus"], job.get("FailureReason", "")
        found = patiently(lambda: client.sagemaker.describe_algorithm(AlgorithmName=name))
        items = found["AlgorithmStatusDetails"].get("ValidationStatuses", [])
        return found["AlgorithmStatus"], items[0].get("FailureReason", "") if items else ""

    def _check(self, flown: Flown, status: str, reason: str) -> None:
        scenario, client = flown.scenario, self._client(flown)
        if status == "Completed":
            self._tally.completed += 1
        else:
            self._tally.failed += 1
        if (found := facts.complaint(scenario, status, reason, flown.hits)) is not None:
            self._complain(flown, found)
        elif status != "Completed":
            self._tally.reasons.append(f"{scenario.name}: {reason}")
        jobs = client.jobs(scenario.name)
        expected = {"training", "transform"} if scenario.kind == "validation" else {"training"}
        if status == "Completed" and set(jobs) != expected:
            self._complain(flown, f"there are {sorted(jobs)}")
        objects = client.objects(bucket_of(scenario), f"{scenario.name}/")
        told: dict[str, Account] = {}
        if "training" in jobs and (flown.heard_all or not scenario.theirs):  # their programs told their log alone
            told = self._told(flown, jobs["training"]["TrainingJobName"])
            self._check_training(flown, jobs["training"], objects, told)
            if "transform" in jobs:
                self._check_transform(flown, jobs["transform"], objects, told)
        if scenario.kind == "warm":  # it may be kept for ten minutes, whatever is known of it
            self._warmth.add(client, scenario.name, told)
        if scenario.sealed:
            for text in _unsealed(client, bucket_of(scenario), objects, self._world.seal):
                self._complain(flown, text)

    def _told(self, flown: Flown, job: str) -> dict[str, Account]:
        if not flown.scenario.theirs:
            return accounts(self._world.ledger, job)
        return accounts_by_log(self._client(flown).log_lines(check_training.GROUP, job))

    def _check_training(
        self, flown: Flown, job: dict[str, Any], objects: dict[str, bytes], told: dict[str, Account]
    ) -> None:
        scenario = flown.scenario
        interruptions = sum(hit.what == "interrupt" for hit in flown.hits)
        mine = {key: body for key, body in objects.items() if not key.startswith(f"{scenario.name}/out/")}
        found = check_training.complaints(
            self._client(flown), scenario, job, mine, told, heard_all=flown.heard_all, interruptions=interruptions
        )
        for text in found:
            self._complain(flown, f"{job['TrainingJobName']}: {text}")
        self._check_journals(flown, job, told)

    def _check_journals(self, flown: Flown, job: dict[str, Any], told: dict[str, Account]) -> None:
        name = job["TrainingJobName"]
        runs = sum(len(account.starts) for account in told.values()) if job["TrainingJobStatus"] == "Completed" else -1
        samples = check_training.samples(self._client(flown), name)
        for text in journals.complaints(self._journals.take(f"training/{name}"), runs=runs, samples=samples):
            self._complain(flown, f"{name}: {text}")

    def _check_transform(
        self, flown: Flown, job: dict[str, Any], objects: dict[str, bytes], told: dict[str, Account]
    ) -> None:
        mine = {key: body for key, body in objects.items() if key.startswith(f"{flown.scenario.name}/out/")}
        files = {name: digest for account in told.values() for name, digest in account.files.items()}
        model = {name: digest for name, digest in files.items() if name.endswith(".bin")}
        found = check_transform.complaints(
            self._client(flown), flown.scenario, job, mine, model, heard_all=flown.heard_all
        )
        for text in found:
            self._complain(flown, f"{job['TransformJobName']}: {text}")

    def _complain(self, flown: Flown, text: str) -> None:
        hits = "; ".join(map(str, flown.hits)) or "nothing"
        self._tally.complaints.append(f"{flown.scenario}: {text} [hit by {hits}]")


def _unsealed(client: Client, bucket: str, objects: dict[str, bytes], seal: str) -> Iterator[str]:
    for key in objects:
        if "/checkpoints/" in key:
            continue  # CheckpointConfig has no key: the bucket's default would be theirs
        found = client.s3.head_object(Bucket=bucket, Key=key).get("SSEKMSKeyId")
        if found != seal:
            yield f"{key} is sealed with {found}, not with {seal}"
