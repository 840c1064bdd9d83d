"""The instance catalogue."""

import pytest

from sagestone.domain.instance import MIB, InstanceFacts, UnknownInstanceType, instance_facts, instance_names
from tests.unit.served import MODELS


@pytest.mark.parametrize("shape", ["TrainingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType"])
def test_every_type_of_the_service_model_has_a_size(shape: str) -> None:
    for name in MODELS["sagemaker"].shape_for(shape).enum:
        facts = instance_facts(name)
        assert facts.vcpus >= 1
        assert facts.memory_bytes >= 1024 * MIB


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("ml.m5.large", (2, 8192, 0, 0, None)),
        ("ml.g5.12xlarge", (48, 196608, 4, 0, 3800)),
        ("ml.trn1.32xlarge", (128, 524288, 0, 16, 7600)),
        ("ml.p3.2xlarge", (8, 62464, 1, 0, None)),
        ("ml.c7i-flex.xlarge", (4, 8192, 0, 0, None)),
    ],
)
def test_known_sizes(name: str, facts: tuple[int, int, int, int, int | None]) -> None:
    vcpus, memory, gpus, accelerators, storage = facts
    assert instance_facts(name) == InstanceFacts(
        vcpus=vcpus, memory_bytes=memory * MIB, gpus=gpus, accelerators=accelerators, local_storage_gb=storage
    )


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(UnknownInstanceType, match=r"ml\.z9\.huge is not known"):
        instance_facts("ml.z9.huge")


def test_names_are_unique() -> None:
    assert len(set(instance_names())) == len(instance_names()) > 300
