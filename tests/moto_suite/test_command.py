"""The command says what it wants where there is no suite."""

from pathlib import Path

import pytest

from tests.moto_suite.__main__ import main


def test_without_a_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "./run moto-suite CHECKOUT" in capsys.readouterr().err


def test_with_another_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "test_sagemaker_training.py" in capsys.readouterr().err
