"""Whether a service can work now: its store takes changes, its runtime and S3 answer, its controller breathes."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass

from sagestone.compose.tenant import Tenant
from sagestone.containers.labels import HOME, JOB
from sagestone.containers.runtime import Runtime
from sagestone.s3.client import S3, NoSuchBucket
from sagestone.s3.storage.storage import Storage
from sagestone.s3.uri import S3Uri

#: How long a part may take to answer, and how long an answer is believed: who asks often costs no more.
PATIENCE_SECONDS = 5.0
_BELIEVED_SECONDS = 1.0

#: How long the controller may be at one thing: an engine that is asked to load or remove may take its time.
LONGEST_ROUND_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A part that must work: `ask` returns when it does, raises when it does not, and may hang."""

    name: str
    ask: Callable[[], object]


class Readiness:
    """Asks every part at once, each at most once at a time: one that hangs is not asked again while it does."""

    def __init__(self, checks: Sequence[Check], patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._checks = checks
        self._patience_seconds = patience_seconds
        self._asked: dict[str, Future[object]] = {}
        self._known: tuple[float, list[str]] | None = None
        self._lock = threading.Lock()

    def complaints(self) -> list[str]:
        """Why the service cannot work, a sentence for each part that does not answer; empty when it can."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > _BELIEVED_SECONDS:
                found = self._ask_all()
                self._known = (time.monotonic(), found)
            return self._known[1]

    def _ask_all(self) -> list[str]:
        for check in self._checks:
            if check.name not in self._asked:
                self._asked[check.name] = _ask(check)
        wait(self._asked.values(), timeout=self._patience_seconds)
        found = []
        for check in self._checks:
            asked = self._asked[check.name]
            if not asked.done():
                found.append(f"{check.name}: no answer for {self._patience_seconds:g} seconds or more")
                continue
            del self._asked[check.name]
            error = asked.exception()
            if error is not None:
                found.append(f"{check.name}: {str(error) or type(error).__name__}")
        return found


def service_checks(
    *, tenants: Callable[[], Sequence[Tenant]], holder: str, runtime: Runtime, storage: Storage | None
) -> list[Check]:
    """What a service needs to work. The store is asked by a lease of nobody's, which is written like any change."""
    checks = [
        Check(name="store", ask=lambda: _take_changes(tenants(), holder)),
        Check(name="runtime", ask=lambda: runtime.find({HOME: "readiness", JOB: "none"})),
        Check(name="controller", ask=lambda: _breathe(tenants())),
    ]
    if storage is not None:
        return [*checks, Check(name="s3", ask=lambda: storage.index.write(lambda connection: None))]
    return [*checks, Check(name="s3", ask=lambda: _answers(tenants()[0].dependencies.s3))]


class _Stuck(Exception):
    """The controller does not get on."""


def _take_changes(tenants: Sequence[Tenant], holder: str) -> None:
    for tenant in tenants:
        tenant.store.take_lease("readiness", holder, 1.0)


def _breathe(tenants: Sequence[Tenant]) -> None:
    for tenant in tenants:
        breath = tenant.controller.breath()
        if not breath.alive:
            raise _Stuck("its thread has ended; see the log, and start the service again")
        if breath.busy_seconds > LONGEST_ROUND_SECONDS:
            raise _Stuck(f"it has been at one thing for {breath.busy_seconds:.0f} seconds")


def _answers(s3: S3) -> None:
    try:
        next(iter(s3.list(S3Uri("sagestone-readiness-no-such-bucket", ""))), None)
    except NoSuchBucket:
        pass  # an answer as good as any


def _ask(check: Check) -> Future[object]:
    answer: Future[object] = Future()

    def ask() -> None:
        try:
            answer.set_result(check.ask())
        except Exception as error:  # noqa: BLE001 (told as the reason)
            answer.set_exception(error)

    threading.Thread(target=ask, name=f"readiness-{check.name}", daemon=True).start()
    return answer
