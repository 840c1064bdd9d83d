"""Writes src/sagestone/domain/instance_catalogue.py: the size of every instance type that SageMaker names.

    uv run --no-project --with moto --with boto3 python tools/make_instance_catalogue.py

Run it when a new botocore names new types, and read the difference. Names come from botocore's service model (training,
transform and real-time); sizes from the EC2 instance table that ships with moto (Apache-2.0), and for the types that
the table lacks from BY_HAND, after the pages of AWS that describe them.
"""

import gzip
import json
import textwrap
from itertools import groupby
from pathlib import Path
from typing import Any

import botocore.session
import moto

SHAPES = ("TrainingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType")
TARGET = Path(__file__).parents[1] / "src" / "sagestone" / "domain" / "instance_catalogue.py"

#: size:vcpus:memory in MiB:GPUs:other accelerators:local storage in GB
BY_HAND = {
    "p2.xlarge": "xlarge:4:62464:1",
    "p2.8xlarge": "8xlarge:32:499712:8",
    "p2.16xlarge": "16xlarge:64:749568:16",
    "p3.2xlarge": "2xlarge:8:62464:1",
    "p3.8xlarge": "8xlarge:32:249856:4",
    "p3.16xlarge": "16xlarge:64:499712:8",
    "dl1.24xlarge": "24xlarge:96:786432:0:8:4000",
    "p6e-gb200.36xlarge": "36xlarge:144:983040:4:0:22500",
}

HEADER = '''"""The size of every instance type that SageMaker names.

Written by tools/make_instance_catalogue.py, not by hand.

Facts: names from botocore {botocore}, sizes from the EC2 table of moto {moto} (Apache-2.0).
A line holds a family and its types as size:vcpus:memory in MiB[:GPUs[:other accelerators[:local storage in GB]]].
"""

TABLE = """
'''


def main() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    names = sorted({name.removeprefix("ml.") for shape in SHAPES for name in model.shape_for(shape).enum})
    with gzip.open(Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz") as file:
        table = json.load(file)
    missing = [name for name in names if name not in table and name not in BY_HAND]
    if missing:
        raise SystemExit(f"no size is known of {', '.join(missing)}: add them to BY_HAND")
    lines = []
    for family, members in groupby(names, key=lambda name: name.split(".")[0]):
        entries = [BY_HAND.get(name) or entry(name, table[name]) for name in members]
        entries.sort(key=lambda text: [float(part) for part in text.split(":")[1:3]])
        lines += [f"{family} {line}" for line in textwrap.wrap(" ".join(entries), 118 - len(family))]
    header = HEADER.format(botocore=botocore.__version__, moto=moto.__version__)
    TARGET.write_text(header + "\n".join(lines) + '\n"""\n')


def entry(name: str, facts: dict[str, Any]) -> str:
    """One type of the table, without the zeros at its end."""
    gpus = sum(gpu["Count"] for gpu in (facts.get("GpuInfo") or {}).get("Gpus", []))
    neuron = sum(device["Count"] for device in (facts.get("NeuronInfo") or {}).get("NeuronDevices", []))
    storage = (facts.get("InstanceStorageInfo") or {}).get("TotalSizeInGB", 0)
    memory = facts["MemoryInfo"]["SizeInMiB"]
    numbers = [facts["VCpuInfo"]["DefaultVCpus"], memory, int(gpus), int(neuron), int(storage)]
    while numbers[-1] == 0:
        numbers.pop()
    return ":".join([name.split(".")[1], *map(str, numbers)])


main()
