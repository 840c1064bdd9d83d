"""Which clients are tested: SAGESTONE_TEST_CLIENTS is none, light (what is quickly installed) or all, the default."""

import os

import pytest

_LIGHT = ("aws-cli", "javascript")
_HEAVY = ("sagemaker-2", "sagemaker-core-2", "sagemaker-3")
_CHOICES = {"none": (), "light": _LIGHT, "all": (*_LIGHT, *_HEAVY)}


def deselect_other_clients(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For `pytest_collection_modifyitems`: leave out the clients that are not asked for."""
    chosen = _chosen()
    others = [item for item in items if (marker := item.get_closest_marker("client")) and marker.args[0] not in chosen]
    items[:] = [item for item in items if item not in others]
    config.hook.pytest_deselected(items=others)


def report_other_clients(terminal: pytest.TerminalReporter) -> None:
    """For `pytest_terminal_summary`: one plain line about the clients that were left out."""
    others = [name for name in (*_LIGHT, *_HEAVY) if name not in _chosen()]
    if others:
        terminal.write_line(f"NOT TESTED: the clients {', '.join(others)}: ./run clients tests them", yellow=True)


def _chosen() -> tuple[str, ...]:
    choice = os.environ.get("SAGESTONE_TEST_CLIENTS", "all")
    if choice not in _CHOICES:
        raise pytest.UsageError(f"SAGESTONE_TEST_CLIENTS is {choice!r}; it may be {', '.join(_CHOICES)}")
    return _CHOICES[choice]
