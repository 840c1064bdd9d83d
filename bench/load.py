"""A thousand validations asked for at once on this machine: what is admitted, in which order, what the API does then.

`SAGESTONE_BENCH_ALGORITHMS` asks for another number.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3

from bench.admitted import AdmissionWatch
from bench.generator import run_load
from bench.latency import Latency, percentile
from bench.report import Figure, at_most, show
from bench.requests import signed_call
from bench.service import RunningService, service
from tests.images import script, write_archive
from tests.system.validation import BUCKET, specification

_ALGORITHMS = int(os.environ.get("SAGESTONE_BENCH_ALGORITHMS", "1000"))
_IDLE_SECONDS = 10.0
_CPUS, _MEMORY_GB = 4, 16
_IMAGE = "bench/train:1"


def main() -> None:
    """Measure and print."""
    environment = {"SAGESTONE_CPUS": str(_CPUS), "SAGESTONE_MEMORY_GB": str(_MEMORY_GB)}
    with service(environment=environment) as running, service() as beside:
        for each in (running, beside):
            _prepare(each)
            _create(each, ["first"])
            _await_end(each, "first")
        idle = _asked(running, "first", _IDLE_SECONDS)
        names = [f"load-{number:05}" for number in range(_ALGORITHMS)]
        before, cpu_before = running.resident_mib(), _cpu_seconds(running)
        watch, asked, asked_beside = AdmissionWatch(running.home), _latency(running, "first"), _latency(beside, "first")
        began = time.perf_counter()
        _create(running, names)
        created = time.perf_counter() - began
        memory = _await_end(running, names[-1])
        seconds = time.perf_counter() - began
        busy, busy_beside, most = asked.end(), asked_beside.end(), watch.end()
        jobs = _jobs(running)
        cpu = (_cpu_seconds(running) - cpu_before) / len(jobs)
    idle99, busy99, beside99 = (1000 * percentile(values, 0.99) for values in (idle, busy, busy_beside))
    show(
        f"{_ALGORITHMS} validations at once, {_CPUS} cpus and {_MEMORY_GB} GB admitted (sandbox runtime)",
        [
            Figure(name="seconds to create them all", value=created, unit="s"),
            Figure(name="jobs ended per second", value=len(jobs) / seconds, unit="/s"),
            Figure(name="cpu of service and agents, a job", value=cpu, unit="s"),
            *(
                Figure(name=f"of a job: {status}", value=1000 * _seconds_in(jobs, status), unit="ms")
                for status in ("Downloading", "Training", "Uploading")
            ),
            at_most("not Completed", sum(job["TrainingJobStatus"] != "Completed" for job in jobs), "jobs", 0),
            at_most("most cpus at work at one time, seen from outside", most.cpus, "cpus", _CPUS),
            at_most("most memory, seen from outside", most.memory_bytes / 1024**3, "GB", _MEMORY_GB),
            at_most("most containers", most.containers, "", _CPUS),
            at_most("places by which a job overtook another", _overtaken(jobs), "jobs", _CPUS),
            Figure(name="p99 of Describe, idle machine", value=idle99, unit="ms"),
            Figure(name="p99 of Describe, under load", value=busy99, unit="ms"),
            Figure(name="p99 of an idle service's, beside the load", value=beside99, unit="ms"),
            at_most("p99 under load / idle machine", busy99 / idle99, "x", 10),
            at_most("p99 under load / idle service beside it", busy99 / beside99, "x", 3),
            Figure(name="resident before", value=before, unit="MiB"),
            at_most("most resident / when all were asked for", max(memory) / memory[0], "x", 1.2),
        ],
    )


def _prepare(running: RunningService) -> None:
    """An image whose program does nothing, and an object for the channel that every validation has."""
    archive = write_archive(running.home.parent / "train.tar", _IMAGE, {"/usr/local/bin/train": script("exit 0")})
    command = [sys.executable, "-m", "sagestone", "image", "load", str(archive.path), "--home", str(running.home)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SAGESTONE_RUNTIME": "sandbox"})
    s3 = _client(running, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train/a.csv", Body=b"1,2\n")


def _create(running: RunningService, names: list[str]) -> None:
    requests = [signed_call(running.endpoint, running.keys, "CreateAlgorithm", specification(n, _IMAGE)) for n in names]
    if run_load("127.0.0.1", running.port, requests).refused:
        raise RuntimeError("creates were refused; the figures would mean nothing")


def _latency(running: RunningService, name: str) -> Latency:
    parameters = {"AlgorithmName": name}
    return Latency(running.port, lambda: signed_call(running.endpoint, running.keys, "DescribeAlgorithm", parameters))


def _asked(running: RunningService, name: str, seconds: float) -> list[float]:
    latency = _latency(running, name)
    time.sleep(seconds)
    return latency.end()


def _await_end(running: RunningService, last: str) -> list[float]:
    """Wait until the last algorithm and every job has ended; the resident memory meanwhile, once a second."""
    sagemaker = _client(running, "sagemaker")
    memory = [running.resident_mib()]
    while (
        sagemaker.describe_algorithm(AlgorithmName=last)["AlgorithmStatus"] in ("Pending", "InProgress")
        or sagemaker.list_training_jobs(StatusEquals="InProgress", MaxResults=1)["TrainingJobSummaries"]
    ):
        time.sleep(1.0)
        memory.append(running.resident_mib())
    return memory


def _jobs(running: RunningService) -> list[dict[str, Any]]:
    """All training jobs as Describe shows them, in the order of their creation."""
    sagemaker = _client(running, "sagemaker")
    pages = sagemaker.get_paginator("list_training_jobs").paginate(SortBy="CreationTime", SortOrder="Ascending")
    names = [row["TrainingJobName"] for page in pages for row in page["TrainingJobSummaries"]]
    return [sagemaker.describe_training_job(TrainingJobName=name) for name in names]


def _overtaken(jobs: list[dict[str, Any]]) -> int:
    """By how many places a job began before its turn, at most."""
    begun = sorted(range(len(jobs)), key=lambda number: jobs[number]["TrainingStartTime"])
    return max(number - place for place, number in enumerate(begun))


def _cpu_seconds(running: RunningService) -> float:
    """Of the service, the process that forks its agents, and those of them that have ended."""
    pid = running.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    stats = [Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in (pid, *children)]
    return sum(int(field) for fields in stats for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _seconds_in(jobs: list[dict[str, Any]], status: str) -> float:
    """How long a job is in that status, on average."""
    entries = [entry for job in jobs for entry in job["SecondaryStatusTransitions"] if entry["Status"] == status]
    seconds: float = sum((entry["EndTime"] - entry["StartTime"]).total_seconds() for entry in entries)
    return seconds / len(jobs)


def _client(running: RunningService, name: str) -> Any:
    session = boto3.Session(
        aws_access_key_id=running.keys[0], aws_secret_access_key=running.keys[1], region_name="us-east-1"
    )
    return session.client(name, endpoint_url=running.endpoint)
