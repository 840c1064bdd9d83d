"""The images of the runtime in use, as the command line manages them: of the service that runs, if one does."""

from pathlib import Path

from sagestone.agent.build import build_runtime
from sagestone.compose.endpoint import running_runtime
from sagestone.compose.runtimes import choose_runtime
from sagestone.containers.runtime import Image
from sagestone.settings import Settings


class Images:
    """List, load and remove images; raises RuntimeFailure with the runtime's words."""

    def __init__(self, settings: Settings) -> None:
        running = running_runtime(settings)
        self._runtime = choose_runtime(settings)[1] if running is None else build_runtime(running)

    def all(self) -> list[Image]:
        """Every image that the runtime holds."""
        return list(self._runtime.images())

    def get(self, reference: str) -> Image:
        """One image; raises ImageNotFound."""
        return self._runtime.image(reference)

    def load(self, archive: Path) -> list[Image]:
        """Load an OCI or docker archive."""
        return self._runtime.load_archive(archive)

    def remove(self, reference: str) -> None:
        """Remove an image by name, digest or id."""
        self._runtime.remove_image(reference)


def open_images(settings: Settings) -> Images:
    """The images of the runtime that these settings choose; raises CannotStart."""
    return Images(settings)
