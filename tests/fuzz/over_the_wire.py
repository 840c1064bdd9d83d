"""A running service under fire from several connections at a time."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.case import Case
from tests.fuzz.connection import Closed, Connection, Hang, Reply, say, server_errors
from tests.fuzz.footprint import WARM, Footprint, leaks
from tests.fuzz.http_cases import HttpCases
from tests.fuzz.request_cases import RequestCases
from tests.fuzz.s3_cases import S3Cases
from tests.fuzz.smallest import smallest
from tests.fuzz.target import Target

KINDS = ("requests", "s3", "http")
AT_ONCE = 8

_MOST_COMPLAINTS = 5
_PATIENCE_SECONDS = 20
_PATIENCE_FOR_MEMORY_SECONDS = 40
_LITTLE_KIB = 8 * 1024  # no need to wait for so much
WARM_UP = 0.25  # of the cases
_UPLOAD = re.compile(rb"<UploadId>([^<]+)</UploadId>")
_NOT_IMPLEMENTED = b"<Code>NotImplemented</Code>"  # S3's word for what a server does not do, with status 501


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was sent and what came back."""

    sent: int = 0
    slowest_seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    warm: Footprint | None = None
    end: Footprint | None = None


def attack_service(target: Target, kind: str, count: int, seed: str, until: float = float("inf")) -> Tally:
    """Send so many cases of a kind, or as many as there is time for; the same seed gives the same cases."""
    tally = Tally()
    draw = _drawer(target, kind)
    at_once = AT_ONCE * 8 if kind == "http" else AT_ONCE  # broken requests mostly wait, one in a hundred a minute
    shooters = [_Shooter(target, kind, seed, draw, tally) for _ in range(at_once)]
    warmed_by = int(count * WARM_UP)
    for start, stop in ((0, warmed_by), (warmed_by, count)):
        threads = [
            threading.Thread(target=shooter.shoot, args=(range(start + number, stop, at_once), until))
            for number, shooter in enumerate(shooters)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for shooter in shooters:
            shooter.close()
        if start == 0:
            target.forget_largest()
            tally.warm = _settled(target)
    tally.end = _settled(target, tally.warm, judged=min(warmed_by, tally.sent) >= WARM)
    assert tally.warm is not None
    tally.complaints += leaks(kind, tally.warm, tally.end, warmed_by=min(warmed_by, tally.sent))
    tally.complaints += [f"{kind}: the service's log has\n{each}" for each in target.log_complaints()]
    try:
        assert target.serves()
    except Exception as error:  # noqa: BLE001 whatever a client raises
        tally.complaints.append(f"{kind}: afterwards a usual request failed: {error}")
    return tally


def _drawer(target: Target, kind: str) -> Callable[[Random], Case]:
    if kind == "requests":
        return RequestCases(target.world).draw
    return S3Cases(target.world).draw if kind == "s3" else HttpCases(target.world).draw


class _Shooter:
    """One thread with a connection of its own."""

    def __init__(self, target: Target, kind: str, seed: str, draw: Callable[[Random], Case], tally: Tally) -> None:
        self._world, self._kind, self._seed, self._tally = target.world, kind, seed, tally
        self._draw = draw
        self._connection = Connection(self._world.port)

    def close(self) -> None:
        self._connection.close()

    def shoot(self, numbers: range, until: float) -> None:
        for number in numbers:
            if time.monotonic() > until or len(self._tally.complaints) >= _MOST_COMPLAINTS:
                return
            name = f"{self._seed}:{self._kind}:{number}"
            case = self._draw(Random(name))
            began = time.monotonic()
            problem, shown = self._send(case, case.body)
            self._tally.slowest_seconds = max(self._tally.slowest_seconds, time.monotonic() - began)
            self._tally.sent += 1
            self._tally.answers[shown] += 1
            if problem is not None:
                self._tally.complaints.append(self._told(case, name, problem))

    def _send(self, case: Case, body: bytes) -> tuple[str | None, str]:
        """What is wrong (None: nothing), and what came back in a word."""
        request = case.request(body)
        try:
            if not case.whole:
                size = case.pieces or len(request) or 1
                heard = say(
                    self._world.port,
                    [request[at : at + size] for at in range(0, len(request), size)],
                    case.quiet_seconds,
                )
                may_be = _NOT_IMPLEMENTED in heard or b"HEAD" in request  # whose answers have no body to say so
                wrong = [status for status in server_errors(heard) if status != 501 or not may_be]
                return (f"status {wrong[0]}" if wrong else None), heard[9:12].decode("latin-1") or "closed"
            reply = self._connection.ask(request, head=case.head)
        except Hang as hang:
            self._connection.close()
            return f"no end within the time allowed: {hang}", "hang"
        except Closed as closed:
            return f"closed: {closed}", "closed"
        self._remember(reply)
        refused = reply.status == 501 and (case.head or _NOT_IMPLEMENTED in reply.body)
        return (None if reply.status < 500 or refused else f"status {reply.status}"), str(reply.status)

    def _remember(self, reply: Reply) -> None:
        if self._kind == "s3" and (found := _UPLOAD.search(reply.body)) is not None:
            self._world.uploads.append(found[1].decode("latin-1"))

    def _told(self, case: Case, name: str, problem: str) -> str:
        tries = 0 if "no end" in problem else 150
        least = smallest(case.body, lambda body: self._send(case, body)[0] == problem, tries)
        request = case.request(least)
        shown = repr(request) if len(request) < 3000 else f"{request[:2000]!r} … {len(request)} bytes"
        return f"{self._kind}, case {name} ({case.what}): {problem}; sent {shown}"


def _settled(target: Target, warm: Footprint | None = None, *, judged: bool = False) -> Footprint:
    """The footprint once the connections are gone; waits a while for what goes by itself, such as the memory that the
    service gives back twice a minute."""
    deadline = time.monotonic() + (_PATIENCE_FOR_MEMORY_SECONDS if judged else _PATIENCE_SECONDS)
    while True:
        found = target.footprint()
        if time.monotonic() > deadline or (
            warm is not None
            and found.descriptors <= warm.descriptors
            and found.threads <= warm.threads
            and not (judged and found.resident_kib > warm.resident_kib + _LITTLE_KIB)
        ):
            return found
        time.sleep(0.2)
        if warm is None and target.footprint() == found:
            return found
