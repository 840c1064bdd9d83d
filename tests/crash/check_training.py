"""Whether a training job, as the API and S3 show it, is what its program did."""

import hashlib
import io
import re
import tarfile
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.crash.client import Client
from tests.crash.data import TRAIN_DIGEST
from tests.crash.ledger import Account
from tests.crash.programs import LINES, NOTES
from tests.crash.scenario import RETRIES, Scenario

GROUP = "/aws/sagemaker/TrainingJobs"

_DAY = 86400
#: The initials of the secondary statuses of a job that Completed: runs that were taken away or retried, then the last.
_WAY = re.compile(r"(SD?T?U?I?)*SDTUC")


def complaints(
    client: Client,
    scenario: Scenario,
    job: dict[str, Any],
    objects: dict[str, bytes],
    hosts: dict[str, Account],
    *,
    heard_all: bool,
    interruptions: int,
) -> Iterator[str]:
    """What is not as it must be. `objects` are the job's, `hosts` is what its program told on each of them.

    Unless all that it wrote was kept (`heard_all`) lines may be missing. `interruptions` were asked for.
    """
    name, completed = job["TrainingJobName"], job["TrainingJobStatus"] == "Completed"
    expected = {f"algo-{number}" for number in range(1, scenario.hosts + 1)}
    statuses = [entry["Status"] for entry in job["SecondaryStatusTransitions"]]
    retries = RETRIES if scenario.kind == "retried" else 0
    runs = 1 + min(statuses.count("Interrupted"), interruptions) + retries
    if completed and set(hosts) != expected:
        yield f"hosts that ran: {sorted(hosts)}"
    for host, account in hosts.items():
        if not 1 <= len(account.starts) <= runs or len(set(account.starts)) != len(account.starts):
            yield f"{host} ran {len(account.starts)} times, {runs} were allowed"
        if completed and (account.ends[-1:] != account.starts[-1:] or account.data[-1:] != [TRAIN_DIGEST]):
            yield f"{host} did not come to its end with the whole data: {account}"
    if runs == 1 and statuses.count("Starting") > 1:
        yield f"it started again, unasked: {statuses}"
    yield from _statuses(job)
    streams = client.log_lines(GROUP, name)
    yield from _log(streams, hosts, completed=completed, heard_all=heard_all)
    yield from _metrics(client, name, streams, hosts, whole=completed and heard_all)
    checkpoints = {key: body for key, body in objects.items() if "/checkpoints/" in key}
    yield from _checkpoints(checkpoints, hosts, completed=completed)
    artifacts = {key: body for key, body in objects.items() if key not in checkpoints}
    yield from _artifacts(job, artifacts, hosts, completed=completed)


def _statuses(job: dict[str, Any]) -> Iterator[str]:
    entries = job["SecondaryStatusTransitions"]
    way = [entry["Status"] for entry in entries if entry["Status"] != "Pending"]  # that it waited is no fault
    if job["TrainingJobStatus"] == "Completed" and not _WAY.fullmatch("".join(each[0] for each in way)):
        yield f"its way was {way}"
    for before, after in pairwise(entries):
        if before.get("EndTime") != after["StartTime"]:
            yield f"{before['Status']} ends at {before.get('EndTime')}, the next starts at {after['StartTime']}"


def _log(
    streams: dict[str, list[str]], hosts: dict[str, Account], *, completed: bool, heard_all: bool
) -> Iterator[str]:
    """Every run's lines once each and in order; all of them where the run came to its end."""
    for stream, lines in streams.items():
        host = stream.partition("/")[2].rpartition("-")[0]
        account = hosts.get(host, Account())
        for word, number in (("line", LINES), ("note", NOTES)):
            step = LINES // number
            printed = []
            for token in account.starts:
                of_run = [f"{word} {each * step} of {token}" for each in range(1, number + 1)]
                of_run = [f"{each} loss={index};" for index, each in enumerate(of_run, 1)] if word == "line" else of_run
                if token not in account.ends or not (completed and heard_all):
                    known = {line for line in lines if line in set(of_run)}
                    of_run = of_run[: len(known)] if heard_all else [line for line in of_run if line in known]
                printed += of_run
            found = [line for line in lines if line.startswith(f"{word} ")]
            if found != printed:
                yield f"{stream} has {len(found)} {word}s, not {len(printed)}: {_difference(found, printed)}"
    if completed and heard_all and len(streams) != len(hosts):
        yield f"there are log streams {sorted(streams)}"


def samples(client: Client, name: str) -> tuple[float, float]:
    """How many values of the metric a job has by the API, and their sum."""
    points = client.metrics.get_metric_statistics(
        Namespace=GROUP,
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
        StartTime=time.time() - _DAY,  # the clock may have been wrong
        EndTime=time.time() + _DAY,
        Period=3600,
        Statistics=["SampleCount", "Sum"],
    )["Datapoints"]
    return sum(point["SampleCount"] for point in points), sum(point["Sum"] for point in points)


def _metrics(
    client: Client, name: str, streams: dict[str, list[str]], hosts: dict[str, Account], *, whole: bool
) -> Iterator[str]:
    count, total = samples(client, name)
    logged = [int(line.split()[1]) for lines in streams.values() for line in lines if line.startswith("line ")]
    most = sum(len(account.starts) for account in hosts.values()) * LINES
    if count > most or (whole and (count, total) != (len(logged), sum(logged))):
        yield f"{count:g} samples with the sum {total:g} were kept, {len(logged)} with {sum(logged)} were logged"


def _checkpoints(objects: dict[str, bytes], hosts: dict[str, Account], *, completed: bool) -> Iterator[str]:
    """Each run began with what the one before had left; S3 has what the last one left."""
    for host, account in hosts.items():
        for (before, left), (after, found) in pairwise(account.steps):
            if (before, after) == ("left", "found") and left != found:
                yield f"{host} left checkpoint {left}, its next run found {found}"
        if account.steps and account.steps[0] != ("found", "none"):
            yield f"{host} began with {account.steps[0]}"
    kept = {key.rpartition("/")[2]: body.decode().strip() for key, body in objects.items()}
    last = {host: account.steps[-1][1] for host, account in hosts.items() if account.steps}
    if completed and kept != last:
        yield f"kept checkpoints are {kept}, left were {last}"


def _artifacts(
    job: dict[str, Any], objects: dict[str, bytes], hosts: dict[str, Account], *, completed: bool
) -> Iterator[str]:
    made = {name: digest for account in hosts.values() for name, digest in account.files.items()}
    base = f"{job['OutputDataConfig']['S3OutputPath'].split('/', 3)[3]}/{job['TrainingJobName']}/output"
    for archive, suffix in (("model.tar.gz", ".bin"), ("output.tar.gz", ".txt")):
        body = objects.get(f"{base}/{archive}")
        if body is None:
            if completed:
                yield f"{archive} is missing"
            continue
        digests, expected = _digests(body), {name: made[name] for name in made if name.endswith(suffix)}
        if completed and digests != expected:
            yield f"{archive} holds {digests}, made was {expected}"
        told = digests.keys() & expected.keys()  # one that is killed may have had no time to tell
        if "unreadable" in digests or any(digests[name] != expected[name] for name in told):
            yield f"{archive} holds what was not made: {digests}"
    unexpected = set(objects) - {f"{base}/model.tar.gz", f"{base}/output.tar.gz"}
    if unexpected:
        yield f"objects that nobody made: {sorted(unexpected)}"
    if completed and not job["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"{base}/model.tar.gz"):
        yield f"S3ModelArtifacts is {job['ModelArtifacts']}"


def _digests(archive: bytes) -> dict[str, str]:
    """Of the files in an archive that is read to its very end; whatever is wrong with it is told as a file."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
            files = {member.name: opened.extractfile(member) for member in opened if member.isfile()}
            return {name: hashlib.sha256(file.read()).hexdigest() for name, file in files.items() if file is not None}
    except (tarfile.TarError, EOFError, OSError) as error:
        return {"unreadable": f"{len(archive)} bytes: {error}"}


def _difference(found: list[str], printed: list[str]) -> str:
    missing = [line for line in printed if line not in found]
    double = sorted({line for line in found if found.count(line) > 1})
    foreign = [line for line in found if line not in printed]
    return f"missing {missing[:3]}, double {double[:3]}, foreign {foreign[:3]}"
