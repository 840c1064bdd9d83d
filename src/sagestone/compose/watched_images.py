"""Images that a request has just asked for are in use, though nothing that is stored names them yet."""

import threading
import time
from collections.abc import Callable

from sagestone.containers.runtime import Image

#: How long a request may take from looking an image up to storing what it made.
_IN_USE_SECONDS = 3600.0


class WatchedImages:
    """Looks images up, and lets one be removed only when nobody has just done so. Used from any thread."""

    def __init__(self, find: Callable[[str], Image], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._find, self._monotonic = find, monotonic
        self._lock = threading.Lock()
        self._asked: dict[str, float] = {}  # image id → when
        self._removals = 0

    def find(self, reference: str) -> Image:
        """As the runtime's `image`: raises ImageNotFound or RuntimeFailure."""
        while True:
            before = self._removals
            image = self._find(reference)  # an engine may pull it meanwhile: not under the lock
            with self._lock:
                self._asked[image.id] = self._monotonic()
                if self._removals == before:
                    return image

    def remove(self, image: Image, is_needed: Callable[[], bool], remove: Callable[[], None]) -> bool:
        """Remove it unless it was asked for within the hour or is needed; whether it was removed."""
        with self._lock:
            now = self._monotonic()
            self._asked = {id_: at for id_, at in self._asked.items() if now - at <= _IN_USE_SECONDS}
            if image.id in self._asked or is_needed():
                return False
            self._removals += 1
            remove()
            return True
