"""Sends each request through the containers of a serial inference pipeline, one after the other."""

from collections.abc import Callable, Iterator, Sequence

from sagestone.inference.connection import Answer
from sagestone.inference.invoke import Invoker


class Pipeline:
    """The invokers of the containers, in order; of a single container, its invoker.

    1. What one container answers is the body of the request to the next, and its Content-Type that request's.
    2. A container is asked again by itself (ModelClientConfig holds for each request); those before it are not.
    3. An answer of 204 is the pipeline's: there is nothing for the next container.
    """

    def __init__(self, invokers: Sequence[Invoker]) -> None:
        self._invokers = invokers

    def invoke(self, pieces: Callable[[], Iterator[bytes | memoryview]], size: int | None) -> Answer:
        """The last container's answer; raises as `Invoker.invoke` does, naming the container."""
        first, *others = self._invokers
        answer = first.invoke(pieces, size)
        for invoker in others:
            if answer.status == 204:
                break
            before = answer
            try:
                answer = invoker.invoke(before.body.buffers, before.body.size, content_type=before.content_type or None)
            finally:
                before.body.close()
        return answer

    def shut(self) -> None:
        """Break off every call that is going on: they look at once whether a container has ended."""
        for invoker in self._invokers:
            invoker.shut()

    def close(self) -> None:
        """Break off every call that is going on, and take no more."""
        for invoker in self._invokers:
            invoker.close()
