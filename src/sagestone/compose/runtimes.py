"""Which runtime runs the containers of a deployment."""

import os
from collections.abc import Mapping

from sagestone.agent.build import build_runtime
from sagestone.agent.parts import RuntimePart
from sagestone.containers.runtime import Runtime, RuntimeFailure
from sagestone.settings import Settings


class CannotStart(Exception):
    """A part that the service needs is not to be had; the text says which, why, and how to get it."""


def choose_runtime(settings: Settings, environment: Mapping[str, str] = os.environ) -> tuple[RuntimePart, Runtime]:
    """The runtime that the settings ask for; `auto` takes an engine that answers, else the sandbox.

    Raises CannotStart with what to do.
    """
    from sagestone.containers.discovery import find_engine

    sandbox = RuntimePart(kind="sandbox", directory=str(settings.home / "sandbox"))
    if settings.runtime == "sandbox":
        return sandbox, _open(sandbox)
    engine_url = settings.engine_url or find_engine(environment)
    if engine_url:
        engine = RuntimePart(kind="engine", engine_url=engine_url)
        return engine, _open(engine)
    if settings.runtime == "engine":
        raise CannotStart(
            "no container engine answers: start Docker or `podman system service`, or name its socket in DOCKER_HOST"
        )
    try:
        return sandbox, _open(sandbox)
    except CannotStart as error:
        raise CannotStart(f"no container engine answers, and {error}") from error


def _open(part: RuntimePart) -> Runtime:
    if part.kind == "sandbox":
        from sagestone.containers.sandbox.probe import probe

        complaint = probe()
        if complaint:
            raise CannotStart(f"the sandbox cannot run here: {complaint}")
    try:
        return build_runtime(part)
    except RuntimeFailure as error:
        raise CannotStart(str(error)) from error


def runtime_sentence(part: RuntimePart, runtime: Runtime) -> str:
    """For people: which runtime it is and what it is good for."""
    if part.kind == "engine":
        return f"{runtime.name} at {part.engine_url}"
    limits = "" if runtime.limits_memory else " without memory limits"
    return f"the sandbox{limits}: for code you trust, not a wall against hostile images"
