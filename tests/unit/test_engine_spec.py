"""What an engine is asked for, and what is refused before it is asked."""

from pathlib import Path

import pytest

from sagestone.containers.engine.spec import check_gpus, check_sources, container_document
from sagestone.containers.runtime import ContainerSpec, Mount, RuntimeFailure, RuntimeName


def _spec(**fields: object) -> ContainerSpec:
    defaults = {"name": "n", "image": "i", "command": ["train"], "hostname": "algo-1"}
    return ContainerSpec(**{**defaults, **fields})  # type: ignore[arg-type]


def test_the_image_keeps_its_entrypoint_and_directory() -> None:
    document = container_document(_spec(environment={"A": "b=c"}), "sha256:1", "docker")
    assert document["Cmd"] == ["train"]
    assert document["Env"] == ["A=b=c", "NVIDIA_VISIBLE_DEVICES=void"]
    assert not {"Entrypoint", "WorkingDir", "User"} & set(document)


def test_memory_has_no_swap_beside_it() -> None:
    host = container_document(_spec(memory_bytes=1 << 30, cpus=1.5), "sha256:1", "docker")["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 1 << 30
    assert host["NanoCpus"] == 1_500_000_000


def test_a_host_without_a_network_knows_itself() -> None:
    host = container_document(_spec(), "sha256:1", "docker")["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ExtraHosts"] == ["algo-1:127.0.0.1"]


def test_a_host_on_a_network_is_known_by_its_name() -> None:
    document = container_document(_spec(network="net"), "sha256:1", "podman")
    assert document["HostConfig"]["NetworkMode"] == "net"
    assert document["NetworkingConfig"] == {"EndpointsConfig": {"net": {"Aliases": ["algo-1"]}}}


@pytest.mark.parametrize(
    ("engine", "request_"),
    [
        ("docker", {"DeviceIDs": ["GPU-a", "GPU-b"], "Capabilities": [["gpu"]]}),
        ("podman", {"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=GPU-a", "nvidia.com/gpu=GPU-b"]}),
    ],
)
def test_a_host_asks_for_its_own_gpus_by_name(engine: RuntimeName, request_: dict[str, object]) -> None:
    host = container_document(_spec(gpus=["GPU-a", "GPU-b"]), "sha256:1", engine)["HostConfig"]
    assert host["DeviceRequests"] == [request_]
    assert "DeviceRequests" not in container_document(_spec(), "sha256:1", engine)["HostConfig"]


def test_no_image_and_no_request_makes_other_gpus_visible() -> None:
    told = {"NVIDIA_VISIBLE_DEVICES": "all"}
    for gpus, visible in (((), "void"), (("GPU-a", "GPU-b"), "GPU-a,GPU-b")):
        document = container_document(_spec(environment=told, gpus=gpus), "sha256:1", "docker")
        assert document["Env"] == [f"NVIDIA_VISIBLE_DEVICES={visible}"]


def test_a_podman_that_ignores_gpus_is_refused() -> None:
    with pytest.raises(RuntimeFailure, match=r"2 GPUs .* Podman 4\.3 ignores .* use Podman 5\.4 or newer, or Docker"):
        check_gpus(_spec(gpus=["GPU-a", "GPU-b"]), "podman", (4, 3))
    check_gpus(_spec(gpus=["GPU-a"]), "podman", (5, 4))
    check_gpus(_spec(gpus=["GPU-a"]), "docker", (20, 10))
    check_gpus(_spec(), "podman", (4, 3))


def test_a_relative_source_is_refused() -> None:
    with pytest.raises(RuntimeFailure, match="some/where"):
        check_sources(_spec(mounts=[Mount(source=Path("some/where"), target="/opt/ml")]))


def test_a_job_brings_its_entrypoint_and_then_no_argument() -> None:
    document = container_document(_spec(entrypoint=["/bin/sh", "-c"], command=[]), "sha256:1", "docker")
    assert document["Entrypoint"] == ["/bin/sh", "-c"]
    assert "Cmd" not in document


def test_an_open_host_is_on_the_engines_own_bridge() -> None:
    host = container_document(_spec(outward=True), "sha256:1", "docker")["HostConfig"]
    assert host["NetworkMode"] == "bridge"
    assert "ExtraHosts" not in host  # the engine knows its name there
    host = container_document(_spec(outward=True, network="net"), "sha256:1", "docker")["HostConfig"]
    assert host["NetworkMode"] == "net"
