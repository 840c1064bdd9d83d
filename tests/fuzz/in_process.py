"""Parsers under fire in this process: only documented refusals come out, within bounded time and memory."""

import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

from tests.fuzz.mutate import mutated
from tests.fuzz.parser import Parser
from tests.fuzz.smallest import smallest

#: Processor time that one call may take: far more than any needs.
PATIENCE_SECONDS = 5.0
#: Memory that one call may need beside what is there already.
ROOM_BYTES = 512 << 20
_MOST_GROWTH_KIB = 48 * 1024


class TooSlow(BaseException):
    """A parser took its time; no parser may catch this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one parser: calls, how many of them were refused, and what there is to complain of."""

    name: str
    calls: int
    refused: int
    slowest_seconds: float
    complaints: tuple[str, ...]


def attack(parser: Parser, calls: int, seed: str, until: float = float("inf")) -> Outcome:
    """Call it so often, or until that time of the monotonic clock; the same seed gives the same cases."""
    refused, made, slowest, complaints = 0, 0, 0.0, list[str]()
    before: tuple[int, int, int] | None = None
    with _bounded():
        for number in range(calls):
            case = f"{seed}:{parser.name}:{number}"
            data = mutated(Random(case), parser.seeds, parser.words)
            began = time.process_time()
            problem, was_refused = run_case(parser, case, data)
            slowest = max(slowest, time.process_time() - began)
            made, refused = made + 1, refused + was_refused
            if problem is not None:
                complaints.append(_told(parser, case, data, problem))
                if len(complaints) == 3:
                    break
            if number == calls // 5:
                before = _footprint()
            if number % 64 == 0 and time.monotonic() > until:
                break
    if before is not None and made == calls:
        complaints += _leaks(parser.name, before, _footprint())
    return Outcome(name=parser.name, calls=made, refused=refused, slowest_seconds=slowest, complaints=tuple(complaints))


def run_case(parser: Parser, case: str, data: bytes) -> tuple[str | None, bool]:
    """What is wrong with how it took these bytes (None: nothing), and whether it refused them."""
    signal.setitimer(signal.ITIMER_PROF, PATIENCE_SECONDS)
    try:
        parser.read(Random(f"{case}:how"), data)
    except parser.refuses:
        return None, True
    except TooSlow:
        return f"took more than {PATIENCE_SECONDS} s of processor time", False
    except Exception as error:  # noqa: BLE001 whatever is not documented is what is looked for
        return f"{type(error).__name__}: {error}", False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None, False


def _told(parser: Parser, case: str, data: bytes, problem: str) -> str:
    kind = problem.partition(":")[0]

    def fails(fewer: bytes) -> bool:
        found = run_case(parser, case, fewer)[0]
        return found is not None and found.partition(":")[0] == kind

    least = smallest(data, fails, 20 if "processor time" in problem else 600)
    shown = repr(least) if len(least) <= 2000 else f"{least[:1000]!r} … {len(least)} bytes"
    return f"{parser.name}, case {case}: {problem[:500]}; with {shown}"


@contextmanager
def _bounded() -> Iterator[None]:
    """A call that goes on for ever is ended, one that wants all memory gets none."""

    def too_slow(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    old_handler: Callable[[int, FrameType | None], object] | int | None = signal.signal(signal.SIGPROF, too_slow)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_data_bytes() + ROOM_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        signal.signal(signal.SIGPROF, old_handler)


def _data_bytes() -> int:
    return _status("VmData:") * 1024


def _footprint() -> tuple[int, int, int]:
    """Resident KiB, open descriptors, threads."""
    return _status("VmRSS:"), len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def _leaks(name: str, before: Sequence[int], after: Sequence[int]) -> Iterator[str]:
    if after[0] > before[0] + _MOST_GROWTH_KIB:
        yield f"{name}: memory grew from {before[0]} to {after[0]} KiB"
    if after[1] > before[1]:
        yield f"{name}: open descriptors grew from {before[1]} to {after[1]}"
    if after[2] > before[2]:
        yield f"{name}: threads grew from {before[2]} to {after[2]}"
