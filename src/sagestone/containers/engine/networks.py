"""Networks of an engine: bridges of one job, where containers resolve each other by host name."""

from collections.abc import Mapping

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


def remove_engine_network(http: EngineHttp, name: str) -> None:
    """Idempotent; a network that containers still use is refused by the engine, in its words."""
    try:
        http.delete(f"/networks/{name}")
    except EngineRefused as refusal:
        if refusal.status == 404:
            return
        raise RuntimeFailure(f"network {name} could not be removed: {refusal.text}") from refusal


def find_engine_networks(http: EngineHttp, labels: Mapping[str, str]) -> list[str]:
    """Names of the networks that carry all these labels (an engine's own filter joins several by *or* in places)."""
    filters = {"label": [f"{key}={value}" for key, value in labels.items()]}
    found = http.get("/networks", filters=filters)
    return sorted(
        network["Name"]
        for network in found
        if all((network.get("Labels") or {}).get(key) == value for key, value in labels.items())
    )
