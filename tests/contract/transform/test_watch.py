"""How busy the host of a transform job is, told while its containers serve."""

import time

import pytest

from sagestone.domain.assignment import Limits
from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance, serving

GIB = 1024**3
#: Never answers, and keeps a processor busy meanwhile.
BUSY = """
    def answer(request):
        while True:
            pass
"""


@pytest.mark.parametrize("containers", [1, 2])
def test_all_containers_of_a_host_are_told_together(ground: Ground, containers: int) -> None:
    ground.put("in/a", b"one\n")
    instance = TransformInstance(
        ground,
        containers=tuple(serving(ground.platform, BUSY, hostname=f"c{number}") for number in range(containers)),
        limits=Limits(memory_bytes=2 * GIB, volume_bytes=GIB),
        grace=0.5,
    ).start()
    values = await_busy(instance)
    instance.stop()
    assert instance.outcome().ending == "Stopped"
    assert values.keys() == {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}
    for name in ("MemoryUtilization", "DiskUtilization"):
        assert 0.0 < values[name] < 100.0


def await_busy(instance: TransformInstance) -> dict[str, float]:
    """What was first told of the host when its processor had something to do: the first look may come before that."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for event in instance.events():
            told = {point.name: point.value for point in event.host_metrics}
            if told.get("CPUUtilization", 0.0) > 0.0:
                return told
        time.sleep(0.05)
    raise AssertionError(f"nothing was told: {instance.events()}")
