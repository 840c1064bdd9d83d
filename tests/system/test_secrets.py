"""Secrets stay where they belong: canaries are put in everywhere, and what was written or printed is searched."""

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.system.accounts import asked, clients, refusal
from tests.system.conftest import RUNTIMES
from tests.system.prepared import prepared_service
from tests.system.service import RunningService, eventually
from tests.system.training import ended, reaches, train, training_request
from tests.system.validation import BUCKET, ROLE

#: Given to jobs and models, which DescribeTrainingJob and DescribeModel show again; nobody else may.
GIVEN = f"canary-given-{secrets.token_hex(8)}"
#: In the environment of whoever starts the service.
INHERITED = f"canary-inherited-{secrets.token_hex(8)}"


@pytest.fixture(scope="module", params=RUNTIMES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, archives: list[str]
) -> Iterator[RunningService]:
    """A service that logs all it would ever log."""
    environment = {"SAGESTONE_RUNTIME": "sandbox", "AWS_SECRET_ACCESS_KEY": INHERITED}
    if request.param != "sandbox":
        url = request.getfixturevalue(f"{request.param}_engine")
        environment |= {"SAGESTONE_RUNTIME": "engine", "SAGESTONE_ENGINE_URL": url}
    directory = tmp_path_factory.mktemp(f"secrets-{request.param}")
    with prepared_service(directory, environment, archives, options=("--verbose",)) as running:
        yield running


def keys_of(service: RunningService) -> list[str]:
    """Every secret key, and what seals tokens."""
    content = json.loads((service.home / "credentials.json").read_text())
    return [content["seal"], *(key["secret_key"] for key in content["credentials"])]


def files_with(directory: Path, words: list[str]) -> set[str]:
    """The files below a directory that hold one of the words, by their path in it."""
    found = set()
    for path in directory.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if any(word.encode() in content for word in words):
                found.add(str(path.relative_to(directory)))
    return found


def readable_by_others(words: list[str]) -> list[str]:
    """What other users of the machine would find of the words: command lines, and environments that are not closed."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        for name in ("cmdline", "environ"):
            try:
                content, mode = (process / name).read_bytes(), (process / name).stat().st_mode
            except OSError:  # it ended meanwhile
                continue
            if mode & 0o044 and any(word.encode() in content for word in words):
                found.append(f"{process.name}/{name}")
    return found


def test_secrets_stay_where_they_belong(service: RunningService) -> None:
    user = asked(service, "user", "create", "spy")
    session = service.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]
    sealed = [*keys_of(service), session["SecretAccessKey"], session["SessionToken"]]
    told = [_refusals(service, user, session), *_commands(service)]
    environment = {"PASSWORD": GIVEN}
    service.client("sagemaker").create_training_job(
        **training_request("hanging", "hang", Environment=environment, EnableNetworkIsolation=False)
    )
    reaches(service, "hanging", "Training")
    assert readable_by_others([GIVEN, INHERITED, *sealed]) == []
    assert INHERITED not in _environments_of_agents(service)
    _inspect_containers(service, sealed)
    names = {Path(path).relative_to(service.home).parts[0] for path in open_to_others(service.home)}
    assert names <= {"service.json", "service.lock", "service-id", "credentials.lock", "version.json"}, (
        "though the home itself was left open"
    )
    service.client("sagemaker").stop_training_job(TrainingJobName="hanging")
    ended(service, "hanging")
    failed = train(service, training_request("failing", "exit-code", Environment=environment))
    told.append(failed["FailureReason"])
    assert failed["Environment"] == environment  # as the API has it
    for text in told:
        assert [word for word in (GIVEN, INHERITED, *sealed) if word in text] == []
    jobs = service.home / "jobs"
    eventually(lambda: not any(names for _, _, names in os.walk(jobs)), "the jobs are put away")
    assert files_with(service.home.parent, [*sealed, INHERITED]) == {"home/credentials.json"}
    kept = {path.partition("-")[0] for path in files_with(service.home.parent, [GIVEN])}
    assert kept == {"home/state.sqlite3"}  # and its log: what Describe shows again


def _refusals(service: RunningService, user: dict[str, str], session: dict[str, Any]) -> str:
    """What is answered to requests that are refused, with secrets in every place of them."""
    client = service.client("sagemaker")
    long = training_request("long", Environment={"PASSWORD": GIVEN + "x" * 600})
    model = {"ModelName": "m", "PrimaryContainer": {"Image": "none:1", "Environment": {"K": GIVEN * 900}}}
    found = [
        refusal(client.create_training_job, **long)[1],
        refusal(client.create_model, **model)[1],
        refusal(clients(service, {**user, "secret_key": GIVEN})("sagemaker").list_models)[1],
        refusal(clients(service, {**user, "secret_key": GIVEN})("s3").list_buckets)[1],
    ]
    keys = {"access_key": session["AccessKeyId"], "secret_key": session["SecretAccessKey"]}
    s3 = clients(service, keys, session["SessionToken"])("s3")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "none"})
    for target in (url, url.replace("none", "other")):
        with pytest.raises(HTTPError) as refused:
            urlopen(target, timeout=10)
        refused.value.close()
    return "\n".join(found)


def _commands(service: RunningService) -> list[str]:
    """What commands print that are not asked for keys."""
    lines = [("user", "list"), ("user", "keys", "spy"), ("account", "list"), ("policy", "list"), ("doctor",)]
    printed = [service.command(*line) for line in lines]
    return [done.stdout + done.stderr for done in printed]


def _environments_of_agents(service: RunningService) -> str:
    """What agents of the home, and what starts them, have in their environments."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            line = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
            if b"sagestone.agent" in line and (process / "cwd").readlink() == Path.cwd():
                found.append((process / "environ").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    assert found
    return "\n".join(found)


def _inspect_containers(service: RunningService, sealed: list[str]) -> None:
    """An engine shows a container's variables to whoever may use it: the job's own, and no key of the service."""
    url = service.environment.get("SAGESTONE_ENGINE_URL")
    if url is None:
        return
    import docker

    engine = docker.APIClient(base_url=url)

    def shown_now() -> str:
        return json.dumps([engine.inspect_container(each["Id"]) for each in engine.containers(all=True)])

    eventually(lambda: GIVEN in shown_now(), "the job's container is there")  # Training begins a moment before it is
    shown = shown_now()
    engine.close()
    assert [word for word in (*sealed, INHERITED) if word in shown] == []


def open_to_others(directory: Path) -> Iterator[str]:
    """The files that another user of the machine could read, by their path below an open directory."""
    for entry in os.scandir(directory):
        mode = entry.stat(follow_symlinks=False).st_mode
        if entry.is_dir(follow_symlinks=False) and mode & 0o011:
            yield from open_to_others(Path(entry.path))
        elif entry.is_file(follow_symlinks=False) and mode & 0o044:
            yield entry.path
