"""Who gets room on the machine, how much, and who waits."""

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sagestone.containers.machine import Machine
from sagestone.domain.instance import instance_facts
from sagestone.placement.capacity import Capacity, fair_shares, instance_limits
from sagestone.placement.interface import Impossible
from tests.contract.test_placement import GIB, reserve
from tests.contract.test_placement import Machine as Place

MIB = 1024**2
GPUS = ("GPU-a", "GPU-b", "GPU-c", "GPU-d")


def limits_of(capacity: Capacity, instance_type: str, count: int = 1, volume_gb: int = 0):  # type: ignore[no-untyped-def]
    first, *others = instance_limits(
        capacity,
        instance_facts,
        instance_types=[instance_type] * count,
        volume_gb=volume_gb,
        shared_memory_bytes=64 * MIB,
    )
    assert all(limits == first for limits in others)
    return first


class TestLimits:
    def test_a_type_that_fits_gets_its_size(self) -> None:
        limits = limits_of(Capacity(cpus=16, memory_bytes=64 * GIB), "ml.m5.large", volume_gb=5)
        assert (limits.cpus, limits.memory_bytes, limits.volume_bytes, limits.gpus) == (2.0, 8 * GIB, 5 * GIB, 0)

    def test_a_large_type_is_bounded_by_the_machine(self) -> None:
        limits = limits_of(Capacity(cpus=2, memory_bytes=4 * GIB), "ml.m5.24xlarge")
        assert (limits.cpus, limits.memory_bytes) == (2.0, 4 * GIB)

    def test_several_instances_share_the_machine(self) -> None:
        limits = limits_of(Capacity(cpus=2, memory_bytes=4 * GIB), "ml.m5.large", count=4)
        assert (limits.cpus, limits.memory_bytes) == (0.5, 1 * GIB)

    def test_settings_may_promise_more_cpus_than_there_are_but_no_container_gets_them(self) -> None:
        machine = Machine(cpus=2, memory_bytes=10 * GIB, gpus=("GPU-a",), architecture="amd64", root=True, cgroups="v2")
        assert limits_of(Capacity.of(machine, cpus=64), "ml.m5.24xlarge").cpus == 2
        assert Capacity.of(machine).gpus == ("GPU-a",)
        assert Capacity.of(machine).memory_bytes == 9 * GIB
        assert Capacity.of(machine, memory_gb=3).memory_bytes == 3 * GIB

    def test_a_volume_left_out_is_the_types_own_where_it_has_one(self) -> None:
        capacity = Capacity(cpus=2, memory_bytes=4 * GIB)
        assert limits_of(capacity, "ml.m5.large").volume_bytes is None
        assert limits_of(capacity, "ml.m5d.large").volume_bytes == 75 * GIB

    @pytest.mark.parametrize(
        ("instance_type", "count", "text"),
        [
            ("ml.p3.2xlarge", 1, "needs a GPU for each instance, and this machine has none; choose a type without"),
            ("ml.trn1.2xlarge", 1, "accelerator"),
            ("ml.unheard.large", 1, "ml.unheard.large"),
            ("ml.m5.large", 20, "would get 12 MiB of memory each: jobs on this machine have 256 MiB together"),
        ],
    )
    def test_what_can_never_run_says_what_it_asks_and_what_there_is(
        self, instance_type: str, count: int, text: str
    ) -> None:
        with pytest.raises(Impossible, match=text):
            limits_of(Capacity(cpus=2, memory_bytes=256 * MIB), instance_type, count)

    def test_gpus_are_shared_out_where_there_are_some(self) -> None:
        capacity = Capacity(cpus=8, memory_bytes=64 * GIB, gpus=GPUS)
        assert limits_of(capacity, "ml.p3.2xlarge", 2).gpus == 1
        assert limits_of(capacity, "ml.p3.16xlarge", 2).gpus == 2
        with pytest.raises(Impossible, match="this machine has 4"):
            limits_of(capacity, "ml.p3.2xlarge", 5)

    def test_the_sandbox_has_none_and_says_so_before_anything_is_downloaded(self) -> None:
        machine = Machine(cpus=2, memory_bytes=GIB, gpus=GPUS, architecture="amd64", root=True, cgroups="v2")
        with pytest.raises(Impossible, match="needs a GPU for each instance, and the sandbox has none"):
            limits_of(Capacity.of(machine, runtime="sandbox"), "ml.p3.2xlarge")

    def test_a_mixed_cluster_gives_each_type_its_size_and_what_small_ones_leave_to_the_large(self) -> None:
        limits = instance_limits(
            Capacity(cpus=8, memory_bytes=20 * GIB, gpus=GPUS[:1]),
            instance_facts,
            instance_types=["ml.t3.medium", "ml.p3.2xlarge", "ml.m5.4xlarge"],
            volume_gb=0,
            shared_memory_bytes=64 * MIB,
        )
        assert [each.memory_bytes for each in limits] == [4 * GIB, 8 * GIB, 8 * GIB]
        assert [each.cpus for each in limits] == [2.0, 3.0, 3.0]
        assert [each.gpus for each in limits] == [0, 1, 0]
        with pytest.raises(Impossible, match=r"^1 × ml\.p3\.2xlarge needs a GPU"):
            instance_limits(
                Capacity(cpus=8, memory_bytes=20 * GIB),
                instance_facts,
                instance_types=["ml.m5.large", "ml.p3.2xlarge"],
                volume_gb=0,
                shared_memory_bytes=64 * MIB,
            )

    @given(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=12), st.integers(0, 1 << 42))
    def test_shares_are_fair(self, wanted: list[int], total: int) -> None:
        shares = fair_shares(wanted, total)
        assert sum(shares) <= total
        for want, share in zip(wanted, shares, strict=True):
            assert share <= want
            # who got less than wanted got no less than anybody else, but for the rest that cannot be shared out
            assert share == want or share > max(shares) - len(wanted)
            assert all(share == other for other_want, other in zip(wanted, shares, strict=True) if other_want == want)

    @given(
        st.floats(0.5, 256),
        st.integers(64, 1 << 20),
        st.integers(1, 20),
        st.sampled_from(["ml.t3.medium", "ml.c5.9xlarge"]),
    )
    def test_what_is_promised_always_fits_the_machine(self, cpus: float, mib: int, count: int, type_: str) -> None:
        capacity = Capacity(cpus=cpus, memory_bytes=mib * MIB)
        try:
            limits = limits_of(capacity, type_, count)
        except Impossible:
            return
        assert limits.memory_bytes * count <= capacity.memory_bytes
        assert limits.cpus <= max(0.05, cpus / count)
        assert limits.shared_memory_bytes <= limits.memory_bytes


class TestAdmission:
    def test_first_come_first_served_and_small_ones_do_not_overtake(self, tmp_path: Path) -> None:
        placement = Place(tmp_path).placement(cpus=4)
        assert reserve(placement, "training/a")
        assert placement.reserve("training/big", ["ml.m5.xlarge"], 0) is None
        assert reserve(placement, "training/small") is None
        placement.release("training/a")
        assert reserve(placement, "training/small") is None
        assert placement.reserve("training/big", ["ml.m5.xlarge"], 0)
        placement.release("training/big")
        assert reserve(placement, "training/small")

    def test_a_mixed_cluster_is_there_as_a_whole_or_waits(self, tmp_path: Path) -> None:
        placement = Place(tmp_path).placement(cpus=6)
        assert reserve(placement, "training/a")  # two of six cpus
        types = ["ml.m5.large", "ml.m5.xlarge", "ml.m5.large"]  # eight, made to fit six: two each
        assert placement.reserve("training/mixed", types, 0) is None
        placement.release("training/a")
        held = placement.reserve("training/mixed", types, 0)
        assert held is not None
        assert [limits.cpus for limits in held.limits] == [2.0, 2.0, 2.0]
        assert [(limits.memory_bytes or 0) // GIB for limits in held.limits] == [8, 16, 8]

    def test_it_tells_what_is_reserved_and_who_waits(self, tmp_path: Path) -> None:
        placement = Place(tmp_path).placement(cpus=4)
        assert reserve(placement, "training/a")
        assert placement.reserve("training/big", ["ml.m5.xlarge"], 0) is None
        told = placement.reserved()
        assert (told.capacity.cpus, told.cpus, told.memory_bytes, told.gpus) == (4, 2.0, 8 * GIB, 0)
        assert (told.holding, told.waiting) == (1, 1)
        placement.release("training/big")
        placement.release("training/a")
        told = placement.reserved()
        assert (told.cpus, told.holding, told.waiting) == (0, 0, 0)

    def test_a_job_that_gives_up_waiting_makes_way(self, tmp_path: Path) -> None:
        placement = Place(tmp_path).placement(cpus=4)
        assert reserve(placement, "training/a")
        assert placement.reserve("training/big", ["ml.m5.xlarge"], 0) is None
        placement.release("training/big")
        assert reserve(placement, "training/small")

    def test_what_was_reserved_is_the_same_again_also_after_a_restart(self, tmp_path: Path) -> None:
        machine = Place(tmp_path)
        first = reserve(machine.placement(cpus=4), "training/a", instances=2)
        assert first is not None
        assert first.network is not None
        later = machine.placement(cpus=4)
        assert reserve(later, "training/other") is None
        again = reserve(later, "training/a", instances=2)
        assert again is not None
        assert (again.job, list(again.limits), again.network, again.runtime) == (
            first.job, list(first.limits), first.network, first.runtime,
        )  # fmt: skip

    def test_a_service_that_was_killed_knows_whose_each_gpu_is(self, tmp_path: Path) -> None:
        machine = Place(tmp_path)
        first = machine.placement(cpus=100, gpus=GPUS).reserve("training/a", ["ml.g4dn.xlarge", "ml.m5.large"], 0)
        assert first is not None
        assert [limits.gpu_uuids for limits in first.limits] == [("GPU-a",), ()]
        later = machine.placement(cpus=100, gpus=GPUS)
        assert later.reserve("transform/b", ["ml.g4dn.12xlarge"], 0) is None  # it wants four
        later.release("transform/b")
        third = later.reserve("transform/c", ["ml.g4dn.xlarge"] * 2, 0)
        assert third is not None
        assert [limits.gpu_uuids for limits in third.limits] == [("GPU-b",), ("GPU-c",)]
        again = later.reserve("training/a", ["ml.g4dn.xlarge", "ml.m5.large"], 0)
        assert again is not None
        assert [limits.gpu_uuids for limits in again.limits] == [("GPU-a",), ()]
        for job in ("training/a", "transform/c"):
            later.release(job)
        assert later.reserved().gpus == 0

    def test_a_lone_instance_has_no_network(self, tmp_path: Path) -> None:
        machine = Place(tmp_path)
        reservation = reserve(machine.placement())
        assert reservation is not None
        assert reservation.network is None
        assert machine.runtime.networks == {}
