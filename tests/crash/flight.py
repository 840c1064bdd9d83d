"""The validations that are under way, each checked when it has ended."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from tests.crash import check_training, check_transform, facts
from tests.crash.client import patiently
from tests.crash.facts import Hit
from tests.crash.ledger import accounts
from tests.crash.requests import BUCKET, Kind, create_request
from tests.crash.world import World

_PATIENCE_SECONDS = 150.0


@dataclass(slots=True, kw_only=True)
class Validation:
    """One of them, and what has hit it."""

    name: str
    kind: Kind
    hits: list[Hit] = field(default_factory=list)

    @property
    def had_room(self) -> bool:
        """Whether the disk of the home was never full meanwhile."""
        return not any(hit.what == "disk" for hit in self.hits)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of them."""

    completed: int = 0
    failed: int = 0
    complaints: list[str] = field(default_factory=list)


class Flight:
    """Keeps so many validations under way."""

    def __init__(self, world: World, *, size: int, kinds: Sequence[Kind], tally: Tally) -> None:
        self._world, self._size, self._tally = world, size, tally
        self._kinds = cycle(kinds)
        self._number = 0
        self._under_way: list[Validation] = []

    def top_up(self) -> None:
        """Create what is missing."""
        while len(self._under_way) < self._size:
            kind = next(self._kinds)
            self._number += 1
            validation = Validation(name=f"{kind.replace('_', '-')}-{self._number:05}", kind=kind)
            self._world.client.create(create_request(validation.name, kind))
            self._under_way.append(validation)

    def note(self, hits: Sequence[Hit]) -> None:
        """Remember whom they met."""
        for hit in hits:
            for validation in self._under_way:
                if hit.what != "agent" or validation.name in hit.instance:
                    validation.hits.append(hit)

    def settle(self) -> None:
        """Check those that have ended."""
        for validation in list(self._under_way):
            description = self._describe(validation)
            if description["AlgorithmStatus"] in ("Completed", "Failed"):
                self._under_way.remove(validation)
                self._check(validation, description)

    def drain(self) -> None:
        """Wait until all have ended."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._under_way and time.monotonic() < deadline:
            self.settle()
            time.sleep(0.05)
        for validation in self._under_way:
            jobs = self._world.client.jobs(validation.name)
            shown = [(kind, job.get("SecondaryStatus") or job.get("TransformJobStatus")) for kind, job in jobs.items()]
            self._complain(validation, f"it does not end: {shown}")
        self._under_way.clear()

    def _describe(self, validation: Validation) -> dict[str, Any]:
        return patiently(lambda: self._world.client.sagemaker.describe_algorithm(AlgorithmName=validation.name))

    def _check(self, validation: Validation, description: dict[str, Any]) -> None:
        status = description["AlgorithmStatus"]
        if status == "Completed":
            self._tally.completed += 1
        else:
            self._tally.failed += 1
        (item,) = description["AlgorithmStatusDetails"]["ValidationStatuses"]
        found = facts.complaint(validation.kind, status, item.get("FailureReason", ""), validation.hits)
        if found is not None:
            self._complain(validation, found)
        jobs = self._world.client.jobs(validation.name)
        if status == "Completed" and len(jobs) != 2:
            self._complain(validation, f"there are {sorted(jobs)}")
        objects = self._world.objects.objects(BUCKET, f"{validation.name}/")
        if "training" in jobs:
            self._check_training(validation, jobs["training"], objects)
        if "transform" in jobs:
            self._check_transform(validation, jobs["transform"], jobs["training"]["TrainingJobName"], objects)

    def _check_training(self, validation: Validation, job: dict[str, Any], objects: dict[str, bytes]) -> None:
        mine = {key: body for key, body in objects.items() if key.startswith(f"{validation.name}/models/")}
        had_room = validation.had_room
        for text in check_training.complaints(self._world.client, job, mine, self._world.ledger, had_room=had_room):
            self._complain(validation, f"{job['TrainingJobName']}: {text}")

    def _check_transform(
        self, validation: Validation, job: dict[str, Any], trained: str, objects: dict[str, bytes]
    ) -> None:
        mine = {key: body for key, body in objects.items() if key.startswith(f"{validation.name}/out/")}
        model = {
            name: digest
            for account in accounts(self._world.ledger, trained).values()
            for name, digest in account.files.items()
            if name.endswith(".bin")
        }
        for text in check_transform.complaints(self._world.client, job, mine, model, had_room=validation.had_room):
            self._complain(validation, f"{job['TransformJobName']}: {text}")

    def _complain(self, validation: Validation, text: str) -> None:
        hits = "; ".join(map(str, validation.hits)) or "nothing"
        self._tally.complaints.append(f"{validation.name}: {text} [hit by {hits}]")
