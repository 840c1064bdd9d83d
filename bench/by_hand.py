"""The example's train, serve and posts done by hand with the runtime: what a validation cannot be quicker than."""

import http.client
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sagestone.containers.runtime import ContainerSpec, Mount, Runtime

_HYPERPARAMETERS = {
    "n_estimators": "60",
    "max_depth": "16",
    "max_features": "0.125",
    "criterion": "gini",
    "seed": "0",
}


def run_by_hand(runtime: Runtime, image: str, channels: Mapping[str, str], batch: list[str]) -> float:
    """Train on the channels (name → CSV), serve the model, post the bodies; seconds from beginning to end."""
    with tempfile.TemporaryDirectory(prefix="sagestone-bench-") as scratch:
        ml = Path(scratch)
        for name in ("input/config", "model", "output"):
            (ml / name).mkdir(parents=True)
        (ml / "input" / "config" / "hyperparameters.json").write_text(json.dumps(_HYPERPARAMETERS))
        for name, text in channels.items():
            (ml / "input" / "data" / name).mkdir(parents=True)
            (ml / "input" / "data" / name / "data.csv").write_text(text)
        began = time.perf_counter()
        _train(runtime, image, ml)
        _serve(runtime, image, ml, batch)
        return time.perf_counter() - began


def _train(runtime: Runtime, image: str, ml: Path) -> None:
    mounts = [Mount(source=ml / name, target=f"/opt/ml/{name}") for name in ("input", "model", "output")]
    name = f"bench-train-{time.time_ns()}"
    container = runtime.create(
        ContainerSpec(name=name, image=image, command=["train"], hostname="algo-1", mounts=mounts)
    )
    try:
        runtime.start(container)
        ended = runtime.wait(container)
        if ended is None or ended.code != 0:
            raise RuntimeError(f"train by hand ended with {ended}")
    finally:
        runtime.remove(container)


def _serve(runtime: Runtime, image: str, ml: Path, batch: list[str]) -> None:
    mounts = [Mount(source=ml / "model", target="/opt/ml/model", read_only=True)]
    name = f"bench-serve-{time.time_ns()}"
    container = runtime.create(
        ContainerSpec(name=name, image=image, command=["serve"], hostname="algo-1", mounts=mounts)
    )
    try:
        runtime.start(container)
        connection = _connect_when_ready(runtime, container)
        for body in batch:
            connection.request("POST", "/invocations", body=body.encode(), headers={"Content-Type": "text/csv"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"serve by hand answered {answer.status}: {answer.read()!r}")
            answer.read()
        connection.close()
    finally:
        runtime.remove(container)  # as an agent does: what it served is there, so nothing is waited for


def _connect_when_ready(runtime: Runtime, container: str, patience_seconds: float = 60.0) -> http.client.HTTPConnection:
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("algo-1", 8080)
        try:
            connection.sock = runtime.connect(container, 8080, 2.0)
            connection.request("GET", "/ping")
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                return connection
        except (OSError, http.client.HTTPException):
            connection.close()
        time.sleep(0.02)
    raise RuntimeError("serve by hand was never ready")
