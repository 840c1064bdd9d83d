"""Warm pools: each ends once, and whoever took one over found what its job had left in the cache."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.crash.client import Client, patiently
from tests.crash.ledger import Account

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Job:
    client: Client
    name: str
    found: tuple[str, ...]  # whose cache its program found, on any host


class Warmth:
    """The jobs that left warm pools since they were looked at last."""

    def __init__(self) -> None:
        self._jobs: list[_Job] = []

    def add(self, client: Client, name: str, told: dict[str, Account]) -> None:
        """A job has ended; its pool may wait for the next one."""
        self._jobs.append(_Job(client, name, tuple(each for account in told.values() for each in account.caches)))

    def end(self, deadline: float) -> list[str]:
        """End the pools that still wait; what is wrong with any."""
        for job in self._jobs:
            if _pool(job)["Status"] == "Available":
                _give_up(job)
        while any(_pool(job)["Status"] == "Available" for job in self._jobs) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        complaints = list(self._complaints())
        self._jobs.clear()
        return complaints

    def _complaints(self) -> Iterator[str]:
        pools = {(id(job.client), job.name): _pool(job) for job in self._jobs}
        heirs = {
            (client, pool["ReusedByJob"]): name for (client, name), pool in pools.items() if pool["Status"] == "Reused"
        }
        for (_, name), pool in pools.items():
            if pool["Status"] not in ("Reused", "Terminated"):
                yield f"the warm pool of {name} does not end: {pool}"
        for job in self._jobs:
            expected = heirs.get((id(job.client), job.name), "none")
            if job.found and set(job.found) != {expected}:
                yield f"{job.name} found the cache of {job.found}, and has the instances of {expected}"


def _pool(job: _Job) -> dict[str, Any]:
    return dict(job.client.job("training", job.name)["WarmPoolStatus"])


def _give_up(job: _Job) -> None:
    def once() -> None:
        try:
            job.client.sagemaker.update_training_job(
                TrainingJobName=job.name, ResourceConfig={"KeepAlivePeriodInSeconds": 0}
            )
        except ClientError as error:
            if "warm pool" not in str(error):
                raise  # else it has ended meanwhile

    patiently(once)
