"""Reaching a port inside an engine's container, with no port published and, for root, no network at all.

1. On the engine's own machine: a socket made inside the container's network namespace (root, or a rootless engine).
2. A plain user of a root's engine: the container's address on its private network. A container without a network is
   moved to one of its own first, internal and gone with the container.
3. An engine in another machine (Docker Desktop's VM, tcp://): not possible, and said so.
"""

import socket
import time
from pathlib import Path
from typing import Any

from sagestone.containers.engine.http import EngineHttp, EngineRefused
from sagestone.containers.engine.networks import create_engine_network
from sagestone.containers.namespaces import NamespaceRefused, connect_inside, listen_inside
from sagestone.containers.runtime import NameTaken, RuntimeFailure


def connect_engine(http: EngineHttp, container: str, port: int, timeout: float) -> socket.socket:
    """A connected socket; raises ConnectionRefusedError, TimeoutError, or RuntimeFailure when there is no way in."""
    deadline = time.monotonic() + timeout
    document = _running(http, container)
    pid = _pid_here(http, document)
    try:
        return connect_inside(pid, port, timeout)
    except ProcessLookupError as error:
        raise ConnectionRefusedError(f"the container ended before its port {port} could be reached") from error
    except NamespaceRefused as refusal:
        address = _address(document) or _give_network(http, document, refusal)
    connected = socket.create_connection((address, port), max(deadline - time.monotonic(), 0.001))
    connected.settimeout(None)
    return connected


def listen_engine(http: EngineHttp, container: str, port: int) -> socket.socket:
    """A socket that listens on the container's loopback; raises RuntimeFailure where its network cannot be entered."""
    document = _running(http, container)
    try:
        return listen_inside(_pid_here(http, document), port)
    except ProcessLookupError as error:
        raise RuntimeFailure(f"container {document['Name'].lstrip('/')} has ended") from error
    except NamespaceRefused as refusal:
        raise RuntimeFailure(f"the network of its container cannot be entered: {refusal}") from refusal


def _pid_here(http: EngineHttp, document: dict[str, Any]) -> int:
    pid = int(document["State"]["Pid"])
    if not _is_here(pid, document["Id"]):
        raise RuntimeFailure(
            f"container {document['Name'].lstrip('/')} runs on another machine than this process (engine at "
            f"{http.url}), so its port cannot be reached: run the service on the engine's own machine"
        )
    return pid


def private_network(container: str) -> str:
    """Name of the network that a container without one gets, only to be reached by a plain user."""
    return f"sagestone-reach-{container[:24]}"


def _running(http: EngineHttp, container: str) -> dict[str, Any]:
    document: dict[str, Any] = http.get(f"/containers/{container}/json")
    if not document["State"].get("Running"):
        raise ConnectionRefusedError(f"container {document['Name'].lstrip('/')} does not run")
    return document


def _is_here(pid: int, identity: str) -> bool:
    """Whether that process of this machine is the container's: control groups are named after the container."""
    try:
        return pid > 0 and identity in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _address(document: dict[str, Any]) -> str | None:
    networks = document["NetworkSettings"].get("Networks") or {}
    return next((network["IPAddress"] for network in networks.values() if network.get("IPAddress")), None)


def _give_network(http: EngineHttp, document: dict[str, Any], refusal: NamespaceRefused) -> str:
    identity = document["Id"]
    name = private_network(identity)
    try:
        try:
            create_engine_network(http, name, document["Config"].get("Labels") or {}, outward=False)
        except NameTaken:
            pass  # made by an earlier call that was cut off
        try:
            http.post("/networks/none/disconnect", {"Container": identity, "Force": True})
        except EngineRefused as error:
            if "is not connected" not in error.text:
                raise
        http.post(f"/networks/{name}/connect", {"Container": identity})
        address = _address(http.get(f"/containers/{identity}/json"))
    except (EngineRefused, RuntimeFailure) as error:
        raise RuntimeFailure(
            f"the port of container {document['Name'].lstrip('/')} cannot be reached: entering its network as this "
            f"user was refused ({refusal}), and giving it a network of its own failed ({error}); "
            "run the service as root"
        ) from error
    if not address:
        raise ConnectionRefusedError("the container has no address yet")
    return address
