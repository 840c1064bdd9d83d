"""What is measured of a host while a container runs, as CloudWatch then answers it."""

import time
from functools import partial
from pathlib import Path

import pytest

from sagestone.agent.gpu_watch import GpuWatch
from sagestone.agent.host_watch import HostWatch
from sagestone.agent.parts import RuntimePart
from sagestone.agent.volume import VolumeWatch
from sagestone.domain.assignment import Limits
from sagestone.domain.event import InstanceEvent
from sagestone.domain.metric import MetricPoint
from sagestone.domain.transition import new_training_job
from tests.contract.runtimes import Bench
from tests.documents import training_spec
from tests.unit.served import Served

NAMESPACE = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def part(sandbox_part: RuntimePart) -> RuntimePart:
    """The sandbox only: what all runtimes tell is tested with them."""
    return sandbox_part


def test_gpus_are_told_beside_the_rest(bench: Bench, tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"  # no machine of ours has GPUs
    program.write_text("#!/bin/sh\nprintf 'GPU-a, 80, 1, 4\\nGPU-b, 70, 2, 4\\n'\n")
    program.chmod(0o755)
    served = Served(tmp_path)
    served.store.add_job(new_training_job(training_spec("job"), served.now), {})
    limits = Limits(memory_bytes=1 << 30, volume_bytes=1 << 30, gpus=2, gpu_uuids=("GPU-a", "GPU-b"))
    gpus = GpuWatch(limits.gpu_uuids, lambda: served.now, str(program))
    told: list[MetricPoint] = []
    container = bench.start("sleep 60")
    volume = VolumeWatch([tmp_path], limits.volume_bytes)
    watch = HostWatch(
        partial(bench.runtime.usage, container), limits.memory_bytes, volume, gpus, lambda: served.now, told.extend
    )
    deadline = time.monotonic() + 60
    while len(told) < 5 and time.monotonic() < deadline:
        watch.look()
        time.sleep(0.02)
    gpus.close()
    event = InstanceEvent(job="training/job", instance=1, seq=1, at=served.now, host_metrics=tuple(told))
    served.store.apply_event(event)
    host = [{"Name": "Host", "Value": "job/algo-1"}]
    listed = served.call("ListMetrics", {"Dimensions": host}, "monitoring")["Metrics"]
    assert [each["MetricName"] for each in listed] == [
        "CPUUtilization", "DiskUtilization", "GPUMemoryUtilization", "GPUUtilization", "MemoryUtilization",
    ]  # fmt: skip
    for name, value in (("GPUUtilization", 150.0), ("GPUMemoryUtilization", 75.0)):
        asked = {
            "Namespace": NAMESPACE, "MetricName": name, "Dimensions": host, "Statistics": ["Average"], "Period": 60,
            "StartTime": served.now - 60, "EndTime": served.now + 60,
        }  # fmt: skip
        (point,) = served.call("GetMetricStatistics", asked, "monitoring")["Datapoints"]
        assert (point["Average"], point["Unit"]) == (value, "Percent")
    served.store.close()
