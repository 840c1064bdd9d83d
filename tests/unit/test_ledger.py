"""Turns at one machine: first come, first served within an account, and no account starves another."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.assignment import Limits
from sagestone.placement.capacity import Capacity
from sagestone.placement.interface import Reservation
from sagestone.placement.ledger import Books, Ledger


def wanted(job: str, cpus: float = 1.0) -> Reservation:
    return Reservation(job=job, limits=[Limits(cpus=cpus, memory_bytes=1)], network=None, runtime="sandbox")


def books(cpus: float = 2.0) -> Books:
    return Books(Capacity(cpus=cpus, memory_bytes=1000))


def test_accounts_take_turns_however_many_jobs_one_has() -> None:
    shared = books(1.0)
    many, few = Ledger(shared, {}), Ledger(shared, {})
    order = []
    assert many.admit(wanted("m0"))
    for number in range(1, 6):
        assert not many.admit(wanted(f"m{number}"))
    assert not few.admit(wanted("f0"))
    running = (many, "m0")
    for _ in range(6):
        running[0].free(running[1])
        admitted = [
            (ledger, job)
            for ledger, jobs in ((many, [f"m{n}" for n in range(1, 6)]), (few, ["f0"]))
            for job in jobs
            if ledger.held(job) is None and job not in order and ledger.admit(wanted(job))
        ]
        (running,) = admitted
        order.append(running[1])
    assert order == ["f0", "m1", "m2", "m3", "m4", "m5"]


def test_a_large_job_whose_turn_it_is_is_not_overtaken() -> None:
    shared = books(2.0)
    one, other = Ledger(shared, {}), Ledger(shared, {})
    assert one.admit(wanted("running"))
    assert not other.admit(wanted("large", 2.0))
    assert not one.admit(wanted("small"))
    one.free("running")
    assert not one.admit(wanted("small"))
    assert other.admit(wanted("large", 2.0))


def test_who_waits_is_told_when_the_turn_is_theirs() -> None:
    shared = books(1.0)
    one, other = Ledger(shared, {}), Ledger(shared, {})
    told: list[str] = []
    one.watch(lambda: told.append("one"), lambda: told.append("one gives way"))
    other.watch(lambda: told.append("other"), lambda: told.append("other gives way"))
    assert one.admit(wanted("a"))
    assert not other.admit(wanted("b"))
    assert told == ["one gives way"]
    one.free("a")
    assert told == ["one gives way", "other"]
    one.free("a")
    assert told == ["one gives way", "other"]
    assert other.admit(wanted("b"))


def test_a_restarted_service_knows_what_is_held() -> None:
    shared = books(1.0)
    Ledger(shared, {"a": wanted("a")})
    assert not Ledger(shared, {}).admit(wanted("b"))


@given(
    jobs=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.5, 1.0, 2.0])), max_size=25),
    choices=st.lists(st.integers(0, 10), min_size=60, max_size=60),
)
def test_never_too_much_never_starved_always_in_order(jobs: list[tuple[int, float]], choices: list[int]) -> None:
    shared = books(2.0)
    ledgers = [Ledger(shared, {}) for _ in range(3)]
    queues: list[list[Reservation]] = [[], [], []]
    for number, (account, cpus) in enumerate(jobs):
        queues[account].append(wanted(f"{number}", cpus))
    running: list[tuple[int, Reservation]] = []
    passed: Counter[int] = Counter()
    for choice in choices:
        moved = True
        while moved:
            moved = False
            for account, queue in enumerate(queues):
                for each in list(queue):
                    if ledgers[account].admit(each):
                        assert each is queue.pop(0), "first come, first served"
                        running.append((account, each))
                        moved = True
                        passed[account] = 0
                        for other in (0, 1, 2):
                            passed[other] += other != account and ledgers[other].arrival is not None
                            assert passed[other] <= 2, "nobody is passed over more often than there are others"
        assert sum(each.limits[0].cpus or 0 for _, each in running) <= 2.0
        if running:
            account, each = running.pop(choice % len(running))
            ledgers[account].free(each.job)
    assert not any(queues)
