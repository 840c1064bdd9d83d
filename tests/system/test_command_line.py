"""The command line as people and CI use it: what it prints and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

from tests.system.service import RunningService
from tests.system.validation import finished, specification


def _write(directory: Path, request: object) -> str:
    path = directory / "algorithm.json"
    path.write_text(json.dumps(request))
    return str(path)


def test_validate_ends_with_0_when_the_algorithm_is_completed(sandbox_service: RunningService, tmp_path: Path) -> None:
    spec = _write(tmp_path, specification("cli-good", "tests/train:1", "tests/serve:1"))
    done = sandbox_service.command("validate", spec)
    assert done.returncode == 0, done.stderr
    for word in ("Training", "mode plain on algo-1", "loss = 0.5", "cli-good: Completed"):
        assert word in done.stdout
    again = sandbox_service.command("validate", spec)
    assert again.returncode == 2
    assert "Cannot create already existing algorithm" in again.stderr
    assert sandbox_service.command("validate", spec, "--replace").returncode == 0


def test_validate_ends_with_1_and_the_reason_when_it_failed(sandbox_service: RunningService, tmp_path: Path) -> None:
    request = specification("cli-bad", "tests/train:1", training={"HyperParameters": {"mode": "exit-code"}})
    done = sandbox_service.command("validate", _write(tmp_path, request), "--json")
    assert done.returncode == 1
    assert "cannot open the lexicon" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["kind"] for line in lines} >= {"algorithm", "training", "log", "result"}
    assert lines[-1]["status"] == lines[-1]["description"]["AlgorithmStatus"] == "Failed"
    assert "cannot open the lexicon" in lines[-1]["text"]
    told = [(line["kind"], line["status"]) for line in lines if line["kind"] in ("algorithm", "training")]
    first = next(place for place, (kind, _) in enumerate(told) if kind == "training")
    assert not {("algorithm", "Pending"), ("algorithm", "InProgress")} & set(told[first:]), told  # as it was


def test_validate_ends_with_2_when_the_file_is_no_request(sandbox_service: RunningService, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert sandbox_service.command("validate", str(broken)).returncode == 2
    assert sandbox_service.command("validate", str(tmp_path / "missing.json")).returncode == 2
    done = sandbox_service.command("validate", _write(tmp_path, {"AlgorithmName": "-bad-"}))
    assert done.returncode == 2


def test_explain_shows_documents_and_violations_and_does_nothing(
    sandbox_service: RunningService, tmp_path: Path
) -> None:
    good = specification("explained", "tests/train:1", "tests/serve:1")
    done = sandbox_service.command("explain", _write(tmp_path, good), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["violations"] == []
    good["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]["HyperParameters"] = {"x": "1"}
    done = sandbox_service.command("explain", _write(tmp_path, good), "--json")
    assert done.returncode == 2
    assert any("x" in violation for violation in json.loads(done.stdout)["violations"])
    listed = sandbox_service.client("sagemaker").list_algorithms(NameContains="explained")
    assert listed["AlgorithmSummaryList"] == []


def test_describe_and_logs_show_what_happened(sandbox_service: RunningService, tmp_path: Path) -> None:
    spec = _write(tmp_path, specification("shown", "tests/train:1", "tests/serve:1"))
    assert sandbox_service.command("validate", spec).returncode == 0
    shown = sandbox_service.command("describe", "shown").stdout
    assert "Completed" in shown
    document = json.loads(sandbox_service.command("describe", "shown", "--json").stdout)
    assert document["AlgorithmName"] == "shown"
    assert "shown" in sandbox_service.command("describe").stdout
    logs = sandbox_service.command("logs", "shown", "--follow").stdout
    assert "mode plain on algo-1" in logs
    assert "model: model.csv batch: true" in logs
    assert sandbox_service.command("describe", "nobody").returncode == 1
    assert sandbox_service.command("logs", "nobody").returncode == 1


def test_an_algorithm_has_its_own_jobs_and_no_others(sandbox_service: RunningService, tmp_path: Path) -> None:
    for name, mode in (("tree", "plain"), ("tree-profile", "tabs"), ("tree", "tabs"), ("tree-profile", "plain")):
        request = specification(name, "tests/train:1", training={"HyperParameters": {"mode": mode}})
        done = sandbox_service.command("validate", _write(tmp_path, request), "--replace")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(f"mode {mode} on algo-1") == 1
    assert "mode plain" not in sandbox_service.command("logs", "tree").stdout
    assert "mode tabs on algo-1" in sandbox_service.command("logs", "tree", "-f").stdout
    for nonsense in ("", "a b", "x*"):
        for command in ("logs", "describe"):
            done = sandbox_service.command(command, nonsense)
            assert done.returncode == 1
            assert "Traceback" not in done.stderr


def test_what_others_wrote_is_shown_as_it_is(sandbox_service: RunningService) -> None:
    request = specification("marked", "tests/train:1")
    del request["ValidationSpecification"]
    request["AlgorithmDescription"] = "[/bold] [red]"
    request["TrainingSpecification"]["SupportedTrainingInstanceTypes"] = ["ml.m5.large"]
    sandbox_service.client("sagemaker").create_algorithm(**request)
    failing = specification("marked-fails", "tests/train:1", training={"HyperParameters": {"mode": "markup"}})
    sandbox_service.client("sagemaker").create_algorithm(**failing)
    finished(sandbox_service, "marked-fails")
    for name in ("marked", "marked-fails"):
        done = sandbox_service.command("describe", name)
        assert done.returncode == 0, done.stderr
    assert "[/bold] is no [tag]" in done.stdout


def test_env_prints_what_an_aws_client_needs(sandbox_service: RunningService) -> None:
    variables = json.loads(sandbox_service.command("env", "--json").stdout)
    assert variables["AWS_ENDPOINT_URL"] == sandbox_service.endpoint
    program = "import boto3; print(boto3.client('sagemaker').list_algorithms()['ResponseMetadata']['HTTPStatusCode'])"
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "200"
    lines = sandbox_service.command("env").stdout
    assert f"export AWS_ENDPOINT_URL={sandbox_service.endpoint}" in lines


def test_images_are_listed_and_removed(sandbox_service: RunningService, archives: list[str]) -> None:
    listed = json.loads(sandbox_service.command("image", "list", "--json").stdout)
    assert any("tests/empty:1" in name for image in listed for name in image["names"])
    assert sandbox_service.command("image", "remove", "tests/empty:1").returncode == 0
    assert sandbox_service.command("image", "remove", "tests/empty:1").returncode == 1
    assert sandbox_service.command("image", "load", *archives).returncode == 0
    assert sandbox_service.command("image", "load", "missing.tar").returncode == 2


def test_doctor_and_version_tell_the_truth(sandbox_service: RunningService) -> None:
    findings = json.loads(sandbox_service.command("doctor", "--json").stdout)
    by_subject = {finding["subject"]: finding for finding in findings}
    assert by_subject["service"]["text"] == f"runs at {sandbox_service.endpoint}"
    assert by_subject["sandbox"]["level"] == "good"
    assert "with system calls filtered as engines do; for code you trust" in by_subject["sandbox"]["text"]
    version = subprocess.run([sys.executable, "-m", "sagestone", "version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("sagestone ")


def test_a_port_that_is_taken(sandbox_service: RunningService, tmp_path: Path) -> None:
    listen = sandbox_service.endpoint.removeprefix("http://")
    command = [sys.executable, "-m", "sagestone", "up", "--home", str(tmp_path / "home"), "--listen", listen]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "address already in use; choose another --listen" in done.stderr


def test_a_second_service_for_the_same_home_is_refused(sandbox_service: RunningService) -> None:
    done = sandbox_service.command("up", "--listen", "127.0.0.1:0")
    assert done.returncode == 3
    assert "runs already" in done.stderr
