"""The command line among broken files, homes and terminals: one sentence, the documented exit code, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "random-forest" / "algorithm.json"


def _run(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sagestone", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "SAGESTONE_HOME": str(home), "SAGESTONE_RUNTIME": "sandbox", **environment},
        stdin=subprocess.DEVNULL,
        timeout=90,
        check=False,
    )


def _assert_told(done: "subprocess.CompletedProcess[str]", code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("sagestone: ")
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b'{"AlgorithmName": ' * 3000 + b"1" + b"}" * 3000, "nested too deeply"),
        (b'{"AlgorithmName": ' + b"9" * 6000 + b"}", "is not JSON"),
        (b'{"AlgorithmName": NaN}', "NaN is no JSON value"),
        ('{"AlgorithmName": "é"}'.encode("latin-1"), "is not UTF-8"),
        ('{"AlgorithmName": "a"}'.encode("utf-16"), "is not UTF-8"),
        (b'{"AlgorithmName": "a", "AlgorithmName": "b"}', "'AlgorithmName' stands twice"),
        (b"", "is not JSON"),
        (b"[1]", "holds list"),
        (b'{"self": 1, "AlgorithmName": "\\ud800"}', "would be refused"),
        (b'\xef\xbb\xbf{"AlgorithmName": "-\\u001b[31m["}', "would be refused"),
    ],
)
def test_a_file_that_is_no_request(tmp_path: Path, content: bytes, words: str) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(content)
    done = _run(tmp_path / "home", "explain", str(spec))
    _assert_told(done, 2, words)
    assert "\x1b" not in done.stdout + done.stderr


def test_validate_refuses_what_boto3_cannot_send(tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text('{"self": 1}')
    _assert_told(_run(tmp_path / "home", "validate", str(spec)), 2, "was refused")


@pytest.mark.parametrize(
    "arguments",
    [["up"], ["env"], ["describe"], ["logs", "x"], ["doctor"], ["image", "list"], ["validate", str(EXAMPLE)], ["demo"]],
)
def test_a_home_that_is_a_file(tmp_path: Path, arguments: list[str]) -> None:
    home = tmp_path / "home"
    home.touch()
    _assert_told(_run(home, *arguments), 2, str(home), "Not a directory")


def test_an_engine_that_does_not_answer(tmp_path: Path) -> None:
    asked = {"SAGESTONE_RUNTIME": "engine", "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"}
    for arguments in (["up"], ["image", "list"], ["validate", str(EXAMPLE)], ["demo"]):
        done = _run(tmp_path / "home", *arguments, **asked, SAGESTONE_ENGINE_URL=asked["DOCKER_HOST"])
        assert done.returncode == 3, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("CPUS", "-1"), ("CPUS", "nan"), ("MAX_REQUEST_MB", "x"), ("S3_ENDPOINT", "nonsense"), ("LISTEN", ":1")],
)
def test_a_setting_that_cannot_be_used(tmp_path: Path, name: str, value: str) -> None:
    _assert_told(_run(tmp_path / "home", "up", **{f"SAGESTONE_{name}": value}), 2, name.lower())


@pytest.mark.parametrize("arguments", ["doctor --json", "doctor", "version", "--help", f"explain {EXAMPLE}"])
def test_a_reader_that_leaves_early(tmp_path: Path, arguments: str) -> None:
    line = f"{sys.executable} -m sagestone {arguments} | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "SAGESTONE_HOME": str(tmp_path / "home")}
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_an_output_that_knows_only_ascii(tmp_path: Path) -> None:
    done = _run(tmp_path / "home", "doctor", PYTHONIOENCODING="ascii", COLUMNS="20", NO_COLOR="1")
    assert done.returncode in (0, 3)
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout


def test_the_help_has_every_command_on_a_line_of_its_own(tmp_path: Path) -> None:
    lines = [line.strip(" •|") for line in _run(tmp_path / "home", "--help", COLUMNS="100").stdout.splitlines()]
    assert 'eval "$(sagestone env)"' in lines
    assert "aws sagemaker list-algorithms" in lines
