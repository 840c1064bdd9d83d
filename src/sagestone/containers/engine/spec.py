"""A ContainerSpec in the engine's words: what a job's container may and may not do. Pure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sagestone.containers.runtime import ContainerSpec, Mount, RuntimeFailure, RuntimeName

#: What is left to root inside a container: enough to own files, change user and listen below 1024, as images expect of
#: SageMaker (nginx workers, sshd between hosts). Nothing to make devices, raw packets or privileged files.
CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
)

#: The first Podman whose Docker-compatible service gives the devices of CDI that a request names.
_PODMAN_WITH_GPUS = (5, 4)


def container_document(spec: ContainerSpec, image: str, engine: RuntimeName) -> dict[str, Any]:
    """The body of a create call. ENTRYPOINT, WORKDIR, USER and ENV stay the image's; its HEALTHCHECK is not run."""
    host: dict[str, Any] = {
        "NetworkMode": spec.network or ("bridge" if spec.outward else "none"),
        "Mounts": [_mount(mount) for mount in spec.mounts],
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "SecurityOpt": ["no-new-privileges", "label=disable"],
        "PidsLimit": spec.pids_limit,
        "ShmSize": spec.shared_memory_bytes,
        "Init": False,
        "RestartPolicy": {"Name": "no"},
    }
    # A daemon's own default may rotate logs away sooner, or send them elsewhere. Docker keeps two files, Podman one.
    host["LogConfig"] = {"Type": "json-file", "Config": {"max-size": str(spec.kept_output_bytes), "max-file": "2"}}
    if engine == "podman":
        host["LogConfig"] = {"Type": "k8s-file", "Config": {"max-size": str(spec.kept_output_bytes)}}
    if spec.network is None and not spec.outward:
        # Docker leaves the own name out of /etc/hosts where there is no network.
        host["ExtraHosts"] = [f"{spec.hostname}:127.0.0.1"]
    if spec.memory_bytes is not None:
        host |= {"Memory": spec.memory_bytes, "MemorySwap": spec.memory_bytes}
    if spec.cpus is not None:
        host["NanoCpus"] = int(spec.cpus * 1_000_000_000)
    if spec.gpus:
        host["DeviceRequests"] = [_device_request(spec.gpus, engine)]
    document: dict[str, Any] = {
        "Image": image,
        "Hostname": spec.hostname,
        "Env": [f"{name}={value}" for name, value in {**spec.environment, **_visible(spec.gpus)}.items()],
        "Labels": dict(spec.labels),
        "Healthcheck": {"Test": ["NONE"]},
        "StopSignal": "SIGKILL",  # of an engine that stops; so any other end is the program's (`domain.container_end`)
        "HostConfig": host,
    }
    if spec.entrypoint is not None:
        document["Entrypoint"] = list(spec.entrypoint)
    if spec.command:
        document["Cmd"] = list(spec.command)
    if spec.network is not None:
        document["NetworkingConfig"] = {"EndpointsConfig": {spec.network: {"Aliases": [spec.hostname]}}}
    return document


def check_gpus(spec: ContainerSpec, engine: RuntimeName, version: tuple[int, ...]) -> None:
    """Refuse GPUs of a Podman that takes the request and gives none."""
    if spec.gpus and engine == "podman" and version < _PODMAN_WITH_GPUS:
        raise RuntimeFailure(
            f"container {spec.name}: {len(spec.gpus)} GPUs asked for, but the service of Podman "
            f"{'.'.join(map(str, version))} ignores such requests silently; use Podman "
            f"{'.'.join(map(str, _PODMAN_WITH_GPUS))} or newer, or Docker, for instance types with GPUs"
        )


def check_sources(spec: ContainerSpec) -> None:
    """Refuse a mount whose source is missing: an engine would make an empty directory instead, or say less."""
    for mount in spec.mounts:
        if not Path(mount.source).is_absolute():
            raise RuntimeFailure(f"container {spec.name}: mount source {mount.source} is not an absolute path")
        if not Path(mount.source).exists():
            raise RuntimeFailure(f"container {spec.name}: mount source {mount.source} (for {mount.target}) is missing")


def _device_request(gpus: Sequence[str], engine: RuntimeName) -> dict[str, Any]:
    """By UUID: numbers change when a GPU falls off, and a mere count means the first ones of the machine."""
    if engine == "podman":
        return {"Driver": "cdi", "DeviceIDs": [f"nvidia.com/gpu={uuid}" for uuid in gpus]}
    return {"DeviceIDs": list(gpus), "Capabilities": [["gpu"]]}


def _visible(gpus: Sequence[str]) -> dict[str, str]:
    """Where NVIDIA's runtime is the engine's default it goes by this, which images of CUDA set to `all`: whatever the
    image or the request says, it is these GPUs, or none."""
    return {"NVIDIA_VISIBLE_DEVICES": ",".join(gpus) or "void"}


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "BindOptions": {"Propagation": "rprivate"},
    }
