"""Networks of an engine: bridges of one job, where containers resolve each other by host name."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sagestone.containers.engine.http import EngineHttp, EngineRefused
from sagestone.containers.runtime import NameTaken, RuntimeFailure


def create_engine_network(
    http: EngineHttp, name: str, labels: Mapping[str, str], *, outward: bool, without_host: bool = False
) -> None:
    """A bridge, internal unless `outward`; raises NameTaken, or RuntimeFailure in the engine's words.

    `without_host`: the host has no address on it, so containers do not reach what listens on the host's every address,
    nor the host them. Docker only.
    """
    body = {"Name": name, "Driver": "bridge", "Internal": not outward, "CheckDuplicate": True, "Labels": dict(labels)}
    if without_host:
        body["Options"] = {"com.docker.network.bridge.inhibit_ipv4": "true"}
    try:
        http.post("/networks/create", body)
    except EngineRefused as refusal:
        if refusal.status == 409 or "already exists" in refusal.text or "already used" in refusal.text:
            raise NameTaken(f"a network {name} exists already") from refusal
        hint = ""
        if "address pool" in refusal.text or "subnet" in refusal.text:
            hint = "; networks that nothing uses can be removed with the engine's `network prune`"
        raise RuntimeFailure(f"network {name} could not be made: {refusal.text}{hint}") from refusal


def leave_one_network(http: EngineHttp, name: str) -> None:
    """Take away all of that name but the oldest, for Docker may make two when it is asked by two, and then joins none.

    The second asks after the first has died, say, and Docker is still at work for that one.
    """
    for network in sorted(_called(http, name), key=lambda each: (each["Created"], each["Id"]))[1:]:
        with suppress(RuntimeFailure):  # it is used: whoever starts a container is told
            remove_engine_network(http, network["Id"])


def remove_engine_network(http: EngineHttp, name: str) -> None:
    """Idempotent, and all of that name; one that containers still use is refused by the engine, in its words."""
    try:
        http.delete(f"/networks/{name}")
    except EngineRefused as refusal:
        if refusal.status == 404:
            return
        found = _called(http, name) if "ambiguous" in refusal.text else []
        if not found:
            raise RuntimeFailure(f"network {name} could not be removed: {refusal.text}") from refusal
        for network in found:
            remove_engine_network(http, network["Id"])


def _called(http: EngineHttp, name: str) -> list[dict[str, Any]]:
    return [network for network in http.get("/networks", filters={"name": [name]}) if network["Name"] == name]


def find_engine_networks(http: EngineHttp, labels: Mapping[str, str]) -> list[str]:
    """Names of the networks that carry all these labels (an engine's own filter joins several by *or* in places)."""
    filters = {"label": [f"{key}={value}" for key, value in labels.items()]}
    found = http.get("/networks", filters=filters)
    return sorted(
        network["Name"]
        for network in found
        if all((network.get("Labels") or {}).get(key) == value for key, value in labels.items())
    )
