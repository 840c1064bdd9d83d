"""What `sagestone explain` shows: every document that a CreateAlgorithm request would become, nothing executed."""

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from sagestone.domain.algorithm import Algorithm, StatusItem
from sagestone.domain.assign import Patience, assign
from sagestone.domain.assignment import OUTSIDE_BYTES, Limits
from sagestone.domain.describe.algorithm import describe_algorithm
from sagestone.domain.describe.model import describe_model
from sagestone.domain.describe.training_job import describe_training_job
from sagestone.domain.describe.transform_job import describe_transform_job
from sagestone.domain.instance import MIB, instance_facts
from sagestone.domain.names import Deployment
from sagestone.domain.plan.algorithm import plan_validation
from sagestone.domain.plan.validation_plan import ValidationPlan
from sagestone.domain.rules.specification import specification_violations
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob
from sagestone.domain.transition import new_training_job, new_transform_job
from sagestone.kms.key_store import KeyStore
from sagestone.kms.vault import Vault
from sagestone.operations.file_systems import algorithm_file_system_violations, configured_file_systems
from sagestone.operations.kms.key_ids import KnownKeys, profile_key_violations
from sagestone.settings import Settings
from sagestone.shapes.check import RequestCheck
from sagestone.shapes.service_model import load_service_model
from sagestone.shapes.unknown import unknown_members
from sagestone.shapes.violation import WrongType
from sagestone.volumes.probe import complaint

#: What stands for the parts that are known only when the request is really made.
SUFFIX = "00000000"
UNRESOLVED = "sha256:(of the image when the algorithm is created)"


def explain(settings: Settings, request: Mapping[str, Any]) -> dict[str, Any]:
    """`documents` (title → document, from the algorithm down to each instance's assignment) and `violations` (texts).

    A request that breaks the service model or a rule has violations and no documents. Digests, times and the end of the
    jobs' names are placeholders; limits are the instance type's, before the machine bounds them.
    """
    model = load_service_model("sagemaker")
    try:
        clean, violations = RequestCheck(model).check("CreateAlgorithm", request)
    except WrongType as error:
        return {"documents": {}, "violations": [str(error)]}
    violations = violations or [
        *specification_violations(clean),
        *algorithm_file_system_violations(clean, configured_file_systems(settings)),
        *profile_key_violations(clean, _known_keys(settings)),
    ]
    texts = [violation.text for violation in violations]
    texts += [
        f"'{path}' is no member of CreateAlgorithm: the service drops it unread, and boto3 refuses to send it"
        for path in unknown_members(model, "CreateAlgorithm", request)
    ]
    if texts:
        return {"documents": {}, "violations": texts}
    members = {name: value for name, value in clean.items() if name != "Tags"}
    return {"documents": _documents(settings, members), "violations": []}


def _known_keys(settings: Settings) -> KnownKeys:
    """The keys of the home, of which only names and states are asked; there are none before its first start."""
    deployment = Deployment(partition=settings.partition, region=settings.region, account=settings.account)
    vault = Vault(KeyStore(settings.home / "kms", b""), deployment, time.time)
    return KnownKeys(vault=vault, objects_elsewhere=bool(settings.s3_endpoint), no_volumes=complaint)


def _documents(settings: Settings, request: Mapping[str, Any]) -> dict[str, Any]:
    deployment = Deployment(partition=settings.partition, region=settings.region, account=settings.account)
    containers = (request.get("InferenceSpecification") or {}).get("Containers", ())
    digests = tuple(UNRESOLVED if container.get("Image") else None for container in containers)
    plan = plan_validation(
        request,
        deployment=deployment,
        training_image_digest=UNRESOLVED,
        container_image_digests=digests,
        suffix=SUFFIX,
    )
    algorithm = Algorithm(
        name=request["AlgorithmName"],
        arn=deployment.arn("algorithm", request["AlgorithmName"]),
        created_at=0.0,
        request=request,
        training_image_digest=UNRESOLVED,
        container_image_digests=digests,
        validation=StatusItem(name=plan.profile_name) if plan else None,
        plan=plan,
    )
    documents = {"algorithm, as DescribeAlgorithm answers": describe_algorithm(algorithm)}
    return documents | (_job_documents(settings, plan) if plan else {})


def _job_documents(settings: Settings, plan: ValidationPlan) -> dict[str, Any]:
    training = new_training_job(plan.training, 0.0)
    documents = {
        "training job, as DescribeTrainingJob answers": describe_training_job(training),
        **_assignments(settings, training, "training"),
    }
    if plan.model is not None:
        documents["model, as DescribeModel answers"] = describe_model(plan.model)
    if plan.transform is not None:
        transform = new_transform_job(plan.transform, 0.0)
        documents["transform job, as DescribeTransformJob answers"] = describe_transform_job(transform)
        documents |= _assignments(settings, transform, "transform")
    return documents


def _assignments(settings: Settings, job: TrainingJob | TransformJob, kind: str) -> dict[str, Any]:
    assignments = assign(
        job,
        limits=[_limits(settings, job, instance_type) for instance_type in job.spec.instance_types],
        network=None if job.spec.instance_count == 1 else "(the job's private network)",
        region=settings.region,
        patience=Patience(
            training_stop_seconds=settings.training_stop_seconds,
            transform_stop_seconds=settings.transform_stop_seconds,
            ping_patience_seconds=settings.ping_patience_seconds,
        ),
    )
    return {f"{kind} assignment of {each.host.name}": msgspec.to_builtins(each) for each in assignments}


def _limits(settings: Settings, job: TrainingJob | TransformJob, instance_type: str) -> Limits:
    facts = instance_facts(instance_type)
    volume = job.spec.volume_gb if isinstance(job, TrainingJob) else 0
    return Limits(
        cpus=facts.vcpus,
        memory_bytes=facts.memory_bytes,
        volume_bytes=volume * 1024 * MIB or None,
        outside_bytes=max(volume * 1024 * MIB, OUTSIDE_BYTES),
        shared_memory_bytes=settings.shared_memory_mb * MIB,
        gpus=facts.gpus,
    )
