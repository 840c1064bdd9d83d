"""Draining the machine and cleaning the home: for the home's own account only, and what they answer."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from msgspec import structs

from sagestone.operations.own.clean_home import clean_home
from sagestone.wire.call import Call, Caller
from sagestone.wire.errors import AccessDeniedException
from tests.unit.served import DEPLOYMENT, Served


@dataclass(frozen=True, slots=True)
class _Gone:
    kind: str
    name: str
    size: int


def test_another_account_may_do_neither(tmp_path: Path) -> None:
    served = Served(tmp_path)
    for operation in ("DrainMachine", "CleanHome"):
        with pytest.raises(AccessDeniedException, match="home's own account"):
            served.call(operation, {}, "sagestone")


def test_a_cleaning_tells_what_went_and_counts_what_it_does_not_name(tmp_path: Path) -> None:
    served = Served(tmp_path)
    asked: list[bool] = []

    def clean(dry_run: bool) -> list[_Gone]:
        asked.append(dry_run)
        return [_Gone("log", f"log-{number}", 10) for number in range(1001)]

    dependencies = replace(served.dependencies, clean=clean)
    caller = Caller(account=DEPLOYMENT.account, access_key="KEY", region=DEPLOYMENT.region)
    call = Call(service="sagestone", operation="CleanHome", parameters={"DryRun": True}, caller=caller, request_id="1")
    answer = clean_home(dependencies, call)
    assert (answer["Count"], answer["Bytes"], len(answer["Gone"])) == (1001, 10010, 1000)
    assert answer["Gone"][0] == {"Kind": "log", "Name": "log-0", "Bytes": 10}
    clean_home(dependencies, structs.replace(call, parameters={}))
    assert asked == [True, False]
