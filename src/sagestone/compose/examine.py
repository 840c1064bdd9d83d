"""What works on this machine, what is missing and how to get it."""

import os
import shutil
import socket
from pathlib import Path

from sagestone.compose.endpoint import running_endpoint
from sagestone.compose.examine_database import examine_database
from sagestone.compose.examine_fast_file import examine_fast_file
from sagestone.compose.examine_home import examine_home
from sagestone.compose.examine_volumes import examine_volumes
from sagestone.compose.finding import Finding
from sagestone.compose.runtimes import CannotStart
from sagestone.compose.tls import tls_context
from sagestone.containers.discovery import find_engine
from sagestone.containers.machine import machine
from sagestone.containers.sandbox.cgroup import find_hierarchies
from sagestone.containers.sandbox.filter import filters_calls
from sagestone.containers.sandbox.probe import probe
from sagestone.settings import Settings

_LEAST_ROOM, _GOOD_ROOM = 64 * 2**20, 5 * 2**30  # bytes


def examine_machine(settings: Settings) -> list[Finding]:
    """Examine this machine for a service with these settings; changes nothing."""
    engine = settings.engine_url or find_engine(os.environ)
    complaint = probe()
    return [
        _examine_machine(),
        *_examine_runtimes(settings, engine, complaint),
        _examine_home(settings.home),
        *examine_database(settings),
        *examine_home(settings),
        examine_fast_file(settings),
        examine_volumes(),
        *_examine_file_systems(settings),
        _examine_port(settings),
        *_examine_network(settings),
        _examine_image_build(),
    ]


def _examine_machine() -> Finding:
    facts = machine()
    text = f"{facts.cpus} cpus, {facts.memory_bytes / 2**30:.1f} GiB of memory, {len(facts.gpus) or 'no'} GPU"
    return Finding(subject="machine", level="good", text=f"{text}, {facts.architecture}")


def _examine_runtimes(settings: Settings, engine: str | None, complaint: str | None) -> list[Finding]:
    used = "engine" if settings.runtime == "engine" or (settings.runtime == "auto" and engine) else "sandbox"
    findings = []
    if engine:
        findings.append(Finding(subject="engine", level="good", text=f"answers at {engine}"))
    else:
        text = "no Docker or Podman answers; to use one, start it or name its socket in DOCKER_HOST"
        findings.append(Finding(subject="engine", level="bad" if used == "engine" else "warning", text=text))
    if complaint is None:
        findings.append(Finding(subject="sandbox", level="good", text=_sandbox_promises()))
    else:
        findings.append(Finding(subject="sandbox", level="bad" if used == "sandbox" else "warning", text=complaint))
    return [*findings, Finding(subject="in use", level="good", text=f"runtime = {settings.runtime}: {used}")]


def _sandbox_promises() -> str:
    calls = "with system calls filtered as engines do" if filters_calls() else "without a filter of system calls"
    return f"works, {_sandbox_limits()}, {calls}; for code you trust, not a wall against hostile images"


def _sandbox_limits() -> str:
    if find_hierarchies() is not None:
        return "with memory limits"
    if os.geteuid() == 0:
        return "without memory limits: no control group for memory can be made here"
    return "without memory limits: they need root, or a control group that was delegated to you"


def _examine_home(home: Path) -> Finding:
    place = next(path for path in (home, *home.parents) if path.exists())
    if not os.access(place, os.W_OK):
        return Finding(subject="home", level="bad", text=f"{home}: {place} cannot be written by you")
    free = shutil.disk_usage(place).free
    text = f"{home}, {free / 2**30:.1f} GiB free"
    if free < _LEAST_ROOM:
        return Finding(subject="home", level="bad", text=f"{text}: too little to keep anything")
    return Finding(subject="home", level="good" if free > _GOOD_ROOM else "warning", text=text)


def _examine_file_systems(settings: Settings) -> list[Finding]:
    findings = []
    for file_system in settings.file_systems:
        place = Path(file_system.directory)
        text = f"{file_system.type} at {place}"
        if not place.is_dir():
            text += " is not there; mount it, or jobs that name it are refused"
            findings.append(Finding(subject=file_system.id, level="bad", text=text))
        elif not os.access(place, os.W_OK):
            text += ", read-only for you"
            findings.append(Finding(subject=file_system.id, level="warning", text=text))
        else:
            text += "" if place.is_mount() else ", an ordinary directory: nothing is mounted there"
            findings.append(Finding(subject=file_system.id, level="good", text=text))
    return findings


def _examine_port(settings: Settings) -> Finding:
    endpoint = running_endpoint(settings)
    if endpoint:
        return Finding(subject="service", level="good", text=f"runs at {endpoint}")
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind((settings.host, settings.port))
        except OSError as error:
            text = f"{settings.listen} cannot be used: {error.strerror}; choose another with --listen"
            return Finding(subject="service", level="bad", text=text)
    return Finding(subject="service", level="good", text=f"does not run; {settings.listen} is free for it")


def _examine_network(settings: Settings) -> list[Finding]:
    """What there is to say where the service is not for this machine alone."""
    findings = []
    if settings.tls_certificate:
        try:
            tls_context(settings)
        except CannotStart as error:
            findings.append(Finding(subject="TLS", level="bad", text=str(error)))
        else:
            text = f"certificate and key belong together ({settings.tls_certificate})"
            findings.append(Finding(subject="TLS", level="good", text=text))
    elif not settings.on_loopback:
        text = f"{settings.listen} is reached from other machines, and what they send can be read: set tls_certificate"
        findings.append(Finding(subject="TLS", level="warning", text=text))
    return findings


def _examine_image_build() -> Finding:
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        return Finding(subject="image build", level="good", text="apt-get and dpkg-deb are there")
    text = "needs apt-get and dpkg-deb; without them, build images with an engine and load their archives"
    return Finding(subject="image build", level="warning", text=text)
