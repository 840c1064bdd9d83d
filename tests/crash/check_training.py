"""Whether a training job, as the API and S3 show it, is what its program did."""

import hashlib
import io
import tarfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.crash.client import Client
from tests.crash.data import TRAIN_DIGEST
from tests.crash.ledger import Account, accounts
from tests.crash.programs import LINES, NOTES

_DAY = 86400
_GROUP = "/aws/sagemaker/TrainingJobs"
_WAY = ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def complaints(
    client: Client, job: dict[str, Any], objects: dict[str, bytes], ledger: Path, *, had_room: bool
) -> Iterator[str]:
    """What is not as it must be. `objects` are those below the job's output path.

    Where there was no room for them (`had_room`) lines may be missing.
    """
    name, completed = job["TrainingJobName"], job["TrainingJobStatus"] == "Completed"
    hosts = accounts(ledger, name)
    expected = {f"algo-{number}" for number in range(1, job["ResourceConfig"]["InstanceCount"] + 1)}
    if completed and set(hosts) != expected:
        yield f"hosts that ran: {sorted(hosts)}"
    for host, account in hosts.items():
        if len(account.starts) != 1:
            yield f"{host} ran {len(account.starts)} times"
        if completed and (account.ends != account.starts or account.data != [TRAIN_DIGEST]):
            yield f"{host} did not come to its end with the whole data: {account}"
    yield from _statuses(job)
    yield from _log(client, name, hosts, whole=completed and had_room)
    yield from _metrics(client, job, len(hosts), whole=completed and had_room)
    yield from _artifacts(job, objects, hosts, completed=completed)


def _statuses(job: dict[str, Any]) -> Iterator[str]:
    entries = job["SecondaryStatusTransitions"]
    way = [entry["Status"] for entry in entries if entry["Status"] != "Pending"]  # that it waited is no fault
    if job["TrainingJobStatus"] == "Completed" and way != _WAY:
        yield f"its way was {way}"
    for before, after in pairwise(entries):
        if before.get("EndTime") != after["StartTime"]:
            yield f"{before['Status']} ends at {before.get('EndTime')}, the next starts at {after['StartTime']}"


def _log(client: Client, name: str, hosts: dict[str, Account], *, whole: bool) -> Iterator[str]:
    streams = client.log_lines(_GROUP, name)
    for stream, lines in streams.items():
        host = stream.partition("/")[2].rpartition("-")[0]
        token = hosts[host].starts[0] if host in hosts and hosts[host].starts else ""
        for word, number in (("line", LINES), ("note", NOTES)):
            found = [line for line in lines if line.startswith(f"{word} ")]
            step = LINES // number
            printed = [f"{word} {each * step} of {token}" for each in range(1, number + 1)]
            printed = [f"{each} loss={index};" for index, each in enumerate(printed, 1)] if word == "line" else printed
            if found != printed if whole else found != [line for line in printed if line in found]:
                yield f"{stream} has {len(found)} {word}s of {number}: {_difference(found, printed)}"
    if whole and len(streams) != len(hosts):
        yield f"there are log streams {sorted(streams)}"


def _metrics(client: Client, job: dict[str, Any], hosts: int, *, whole: bool) -> Iterator[str]:
    points = client.metrics.get_metric_statistics(
        Namespace=_GROUP,
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}],
        StartTime=time.time() - _DAY,  # the clock may have been wrong
        EndTime=time.time() + _DAY,
        Period=3600,
        Statistics=["SampleCount", "Sum"],
    )["Datapoints"]
    count, total = (sum(point[statistic] for point in points) for statistic in ("SampleCount", "Sum"))
    most, sum_of_most = hosts * LINES, hosts * LINES * (LINES + 1) // 2
    if count > most or total > sum_of_most or (whole and (count, total) != (most, sum_of_most)):
        yield f"{count:g} samples with the sum {total:g} were kept, {most} with {sum_of_most} were printed"


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
        if not digests.items() <= expected.items():
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
