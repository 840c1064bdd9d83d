"""What the contract tests of the container runtimes share: a runtime with a busybox image, and short ways to ask."""

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagestone.containers.runtime import ContainerSpec, Exit, Image, Runtime, RuntimeFailure, Stream
from tests.images import write_archive

IMAGE = "sagestone-test/busybox:1"
ENTRYPOINT_IMAGE = "sagestone-test/entrypoint:1"
MADE = "sagestone-test/made-"  # how the names of images begin that belong to one test

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

    directory: Path

    def load(self, name: str, files: Mapping[str, bytes], **fields: Any) -> Image:
        """An image of this test's own called `MADE` + name."""
        fields = {"labels": {"sagestone.made": name}, **fields}  # never the same id as another image
        archive = write_archive(self.directory / f"{name}.tar", f"{MADE}{name}:1", files, **fields)
        (image,) = self.runtime.load_archive(archive.path)
        return image

    def create(self, command: Sequence[str], **fields: Any) -> str:
        """A container of the busybox image, not started."""
        return self.runtime.create(self.spec(command, **fields))

    def spec(self, command: Sequence[str], **fields: Any) -> ContainerSpec:
        number = f"{self.labels['sagestone.test']}-{next(_numbers)}"
        defaults: dict[str, Any] = {"name": f"sagestone-test-{number}", "image": IMAGE, "hostname": "algo-1"}
        labels = {**self.labels, **fields.pop("labels", {})}
        # so that its processes can be told from those of others
        environment = {"SAGESTONE_TEST": self.labels["sagestone.test"], **fields.pop("environment", {})}
        given = {**defaults, **fields, "labels": labels, "environment": environment}
        return ContainerSpec(command=command, **given)

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

    def await_output(self, container: str) -> None:
        """Wait until the container has written to stdout."""
        output = Output()

        def follow() -> None:
            with suppress(RuntimeFailure):  # the test removes it while we read
                self.runtime.copy_logs(container, output)

        thread = threading.Thread(target=follow)
        thread.start()
        deadline = time.monotonic() + 60
        while not output.stdout and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert output.stdout, "the container wrote nothing"
