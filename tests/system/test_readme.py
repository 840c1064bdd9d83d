"""The README's example works when it is pasted."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.system.service import REGION, RunningService
from tests.system.validation import specification

README = Path(__file__).parents[2] / "README.md"


def test_the_boto3_example_works_when_pasted(sandbox_service: RunningService, tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    assert len([line for line in found[1].splitlines() if line]) <= 10
    (tmp_path / "train.csv").write_text("1,2\n")
    request = specification("pasted", "tests/train:1", "tests/serve:1")
    (tmp_path / "algorithm.json").write_text(json.dumps(request))
    printed = sandbox_service.command("env", "--json").stdout
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **json.loads(printed)}
    assert environment["AWS_REGION"] == REGION
    done = subprocess.run(
        [sys.executable, "-c", found[1]],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=90,
        check=False,
    )
    assert done.stdout == "Completed [{'Name': 'profile', 'Status': 'Completed'}]\n", done.stderr
    objects = sandbox_service.client("s3").list_objects_v2(Bucket="my-data")
    assert [each["Key"] for each in objects["Contents"]] == ["train/train.csv"]


def test_every_command_that_it_names_is_there(sandbox_service: RunningService) -> None:
    named = set(re.findall(r"\./run sagestone ((?:image )?[a-z]+)", README.read_text()))
    assert named >= {"up", "env", "validate", "doctor", "image load"}
    for command in sorted(named):
        assert sandbox_service.command(*command.split(), "--help").returncode == 0, command
