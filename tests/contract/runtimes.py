"""What the contract tests of the container runtimes share: a runtime with a busybox image, and short ways to ask."""

import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagestone.containers.runtime import ContainerSpec, Exit, Runtime, Stream

IMAGE = "sagestone-test/busybox:1"
ENTRYPOINT_IMAGE = "sagestone-test/entrypoint:1"

_numbers = itertools.count(1)


@dataclass(slots=True)
class Output:
    """A log sink that keeps everything."""

    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)

    def __call__(self, stream: Stream, data: bytes) -> None:
        (self.stdout if stream == "stdout" else self.stderr).extend(data)


@dataclass(frozen=True, slots=True)
class Bench:
    """A runtime under test, and the label that everything made by one test carries."""

    runtime: Runtime
    labels: Mapping[str, str]

    def create(self, command: Sequence[str], **fields: Any) -> str:
        """A container of the busybox image, not started."""
        return self.runtime.create(self.spec(command, **fields))

    def spec(self, command: Sequence[str], **fields: Any) -> ContainerSpec:
        number = f"{self.labels['sagestone.test']}-{next(_numbers)}"
        defaults: dict[str, Any] = {"name": f"sagestone-test-{number}", "image": IMAGE, "hostname": "algo-1"}
        labels = {**self.labels, **fields.pop("labels", {})}
        return ContainerSpec(**{**defaults, "command": command, **fields, "labels": labels})

    def start(self, script: str, **fields: Any) -> str:
        """A started container that runs this shell script."""
        container = self.create(["sh", "-c", script], **fields)
        self.runtime.start(container)
        return container

    def run(self, script: str, **fields: Any) -> tuple[Exit, str, str]:
        """A script's exit and its whole output; the container is removed."""
        container = self.start(script, **fields)
        ended = self.ended(container)
        output = self.output(container)
        self.runtime.remove(container)
        return ended, output.stdout.decode(), output.stderr.decode()

    def ended(self, container: str) -> Exit:
        ended = self.runtime.wait(container, 60)
        assert ended is not None, "the container did not end within a minute"
        return ended

    def output(self, container: str, skip: Mapping[Stream, int] | None = None) -> Output:
        output = Output()
        self.runtime.copy_logs(container, output, skip)
        return output

    def following(self, container: str) -> tuple[threading.Thread, Output]:
        """A thread that copies the logs from now on."""
        output = Output()
        thread = threading.Thread(target=self.runtime.copy_logs, args=(container, output))
        thread.start()
        return thread, output
