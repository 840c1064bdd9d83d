"""Which container engines this machine has: asked for by the environment, else at the usual sockets."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagestone.containers.engine.http import EngineHttp, EngineRefused, EngineUnreachable

_PATIENCE = 2.0  # seconds for an engine to say what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFinding:
    """An address where an engine could be, and what was found there."""

    url: str
    source: str  # why it was looked for: "$DOCKER_HOST", "Docker's socket" …
    answer: str | None  # what answered, such as "Docker 27.3.1 (API 1.47)"; None when nothing did
    problem: str = ""  # why not


def find_engine(environment: Mapping[str, str] | None = None) -> str | None:
    """The url of the first engine that answers; None when none does. `explain_engines` says why."""
    return next((finding.url for finding in _look(environment) if finding.answer), None)


def explain_engines(environment: Mapping[str, str] | None = None) -> list[EngineFinding]:
    """Everything that `find_engine` would look at, in its order."""
    return list(_look(environment))


def _look(environment: Mapping[str, str] | None) -> Iterator[EngineFinding]:
    environment = os.environ if environment is None else environment
    for url, source in _candidates(environment):
        try:
            version = EngineHttp(url, environment=environment).version(_PATIENCE)
        except (EngineUnreachable, EngineRefused) as failure:
            yield EngineFinding(url=url, source=source, answer=None, problem=str(failure))
            continue
        yield EngineFinding(url=url, source=source, answer=_describe(version))


def _candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """An engine that is asked for is the only one; else sockets that exist, Docker's before Podman's."""
    for variable in ("DOCKER_HOST", "CONTAINER_HOST"):
        if environment.get(variable):
            yield environment[variable], f"${variable}"
            return
    home = Path(environment.get("HOME") or "/")
    running = Path(environment.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    for path, source in (
        (Path("/var/run/docker.sock"), "Docker's socket"),
        (running / "docker.sock", "rootless Docker's socket"),
        (home / ".docker/run/docker.sock", "Docker Desktop's socket"),
        (home / ".docker/desktop/docker.sock", "Docker Desktop's socket"),
        (Path("/run/podman/podman.sock"), "Podman's socket"),
        (running / "podman/podman.sock", "rootless Podman's socket"),
    ):
        try:
            there = path.is_socket()
        except OSError:
            there = False
        if there:
            yield f"unix://{path}", source


def _describe(version: Mapping[str, object]) -> str:
    components = version.get("Components")
    names = (
        [str(part.get("Name")) for part in components if isinstance(part, dict)] if isinstance(components, list) else []
    )
    name = "Podman" if any("podman" in each.lower() for each in names) else "Docker"
    return f"{name} {version.get('Version', '?')} (API {version.get('ApiVersion', '?')})"
