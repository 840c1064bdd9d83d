"""A runtime that only keeps books of containers and networks, shared by everyone who looks at the same object."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sagestone.containers.runtime import Container, NameTaken, RuntimeFailure, RuntimeName


@dataclass
class BookkeepingRuntime:
    """What placement asks of a runtime, in memory."""

    containers: dict[str, Container] = field(default_factory=dict)
    networks: dict[str, Mapping[str, str]] = field(default_factory=dict)
    outward: set[str] = field(default_factory=set)  # those of the networks that lead outward
    broken: bool = False

    @property
    def name(self) -> RuntimeName:
        return "sandbox"

    @property
    def mount_namespace(self) -> str | None:
        return None

    def add(self, name: str, labels: Mapping[str, str]) -> None:
        """As if an agent had made it."""
        self.containers[name] = Container(id=name, name=name, labels=labels, running=True)

    def find(self, labels: Mapping[str, str]) -> list[Container]:
        self._check()
        return [one for one in self.containers.values() if labels.items() <= one.labels.items()]

    def remove(self, container: str) -> None:
        self._check()
        self.containers.pop(container, None)

    def create_network(self, name: str, labels: Mapping[str, str], *, outward: bool = False) -> None:
        self._check()
        if name in self.networks:
            raise NameTaken(name)
        self.networks[name] = labels
        if outward:
            self.outward.add(name)

    def remove_network(self, name: str) -> None:
        self.networks.pop(name, None)

    def find_networks(self, labels: Mapping[str, str]) -> list[str]:
        return [name for name, found in self.networks.items() if labels.items() <= found.items()]

    def _check(self) -> None:
        if self.broken:
            raise RuntimeFailure("the engine does not answer")
