"""The real parts of a service, made from its settings."""

import time
import uuid
from dataclasses import dataclass
from functools import partial

from sagestone.agent.build import build_s3
from sagestone.agent.parts import Parts, RuntimePart, S3Part, ServicePart
from sagestone.compose.keys import open_keys
from sagestone.compose.metric_sources import Exposition, Sources
from sagestone.compose.readiness import Readiness, service_checks
from sagestone.compose.runtimes import choose_runtime
from sagestone.compose.stores import open_store
from sagestone.containers.labels import home_id
from sagestone.containers.machine import machine
from sagestone.containers.runtime import Runtime
from sagestone.control.controller import Controller
from sagestone.domain.assign import Patience
from sagestone.domain.instance import instance_facts
from sagestone.domain.names import Deployment
from sagestone.job_logs.reader import LogReader
from sagestone.operations.container_credentials import container_credentials
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.file_systems import configured_file_systems
from sagestone.operations.table import operations
from sagestone.placement.capacity import Capacity
from sagestone.placement.local import LocalPlacement
from sagestone.s3.storage.storage import Storage, open_storage
from sagestone.s3_server.face import S3Face
from sagestone.server.monitoring_face import MonitoringFace
from sagestone.server.server import Server
from sagestone.server.traffic import Traffic
from sagestone.settings import Settings
from sagestone.shapes.own_model import OWN_MODEL
from sagestone.shapes.service_model import load_service_model
from sagestone.store.interface import Store
from sagestone.wire.credentials import CredentialBook


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceParts:
    """What a service is made of; started by `Service`, closed by `close`."""

    server: Server
    controller: Controller
    store: Store
    s3: S3Face | None
    storage: Storage | None
    runtime: Runtime
    runtime_part: RuntimePart

    def close(self) -> None:
        """Close what holds files."""
        if self.s3 is not None:
            self.s3.close()
        if self.storage is not None:
            self.storage.close()
        self.store.close()


def build_parts(settings: Settings, holder: str) -> ServiceParts:
    """Build everything for one service; `holder` is its name on leases. Raises CannotStart."""
    home = settings.home
    book = CredentialBook.open(home, settings.account)
    runtime_part, runtime = choose_runtime(settings)
    deployment = Deployment(partition=settings.partition, region=settings.region, account=settings.account)
    vault, _ = open_keys(settings, deployment, time.time)
    store = open_store(settings, home, settings.account)
    s3_part = _s3_part(settings)
    logs = home / "logs"
    file_systems = configured_file_systems(settings)
    placement = LocalPlacement(
        jobs_directory=home / "jobs",
        runtime=runtime,
        parts=Parts(
            runtime=runtime_part,
            s3=s3_part,
            logs_directory=str(logs),
            file_systems=tuple(file_systems.values()),
            service=ServicePart(
                endpoint_file=str(home / "service.json"),
                seal_key=book.seal_key("container credentials"),
                s3_endpoint=settings.s3_endpoint,
            ),
        ),
        capacity=Capacity.of(machine(), cpus=settings.cpus, memory_gb=settings.memory_gb),
        catalogue=instance_facts,
        home=home_id(str(home)),
        shared_memory_bytes=settings.shared_memory_mb * 1024 * 1024,
    )
    controller = Controller(
        store,
        placement,
        holder=holder,
        region=settings.region,
        patience=Patience(
            training_stop_seconds=settings.training_stop_seconds,
            transform_stop_seconds=settings.transform_stop_seconds,
            ping_patience_seconds=settings.ping_patience_seconds,
        ),
    )
    dependencies = Dependencies(
        store=store,
        deployment=deployment,
        clock=time.time,
        new_id=lambda: uuid.uuid4().hex[:8],
        image=runtime.image,
        hint=controller.hint,
        logs=LogReader(logs),
        book=book,
        s3=build_s3(s3_part),
        file_systems=file_systems,
        vault=vault,
        machine=placement,
    )
    storage = None if settings.s3_endpoint else open_storage(home / "s3")
    hosts = tuple(dict.fromkeys(("localhost", settings.host)))
    s3 = _s3_face(settings, storage, book, hosts) if storage is not None else None
    traffic = Traffic()
    readiness = Readiness(
        service_checks(
            store=store,
            holder=holder,
            runtime=runtime,
            s3=dependencies.s3,
            storage=storage,
            controller=controller,
        )
    )
    sources = Sources(
        home=home,
        traffic=traffic,
        store=store,
        placement=placement,
        controller=controller,
        storage=storage,
        runtime=runtime.name,
    )
    server = Server(
        operations=operations(dependencies),
        models=[*(load_service_model(name) for name in ("sagemaker", "logs", "cloudwatch", "kms")), OWN_MODEL],
        query_models=[load_service_model(name) for name in ("sts", "iam")],
        s3=s3,
        book=book,
        container_credentials=partial(container_credentials, dependencies),
        monitoring=MonitoringFace(
            networks=settings.monitoring_networks,
            metrics=Exposition(sources),
            readiness=readiness.complaints,
        ),
        traffic=traffic,
        hosts=hosts,
        region=settings.region,
        no_auth=settings.insecure_no_auth,
        max_body=settings.max_request_mb * 1024 * 1024,
    )
    return ServiceParts(
        server=server,
        controller=controller,
        store=store,
        s3=s3,
        storage=storage,
        runtime=runtime,
        runtime_part=runtime_part,
    )


def _s3_part(settings: Settings) -> S3Part:
    """How agents reach S3: the embedded store's files, or the configured endpoint."""
    if not settings.s3_endpoint:
        return S3Part(kind="embedded", directory=str(settings.home / "s3"))
    return S3Part(
        kind="remote",
        endpoint_url=settings.s3_endpoint,
        region=settings.s3_region or settings.region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )


def _s3_face(settings: Settings, storage: Storage, book: CredentialBook, hosts: tuple[str, ...]) -> S3Face:
    """The embedded store's HTTP face, after what dead writers left was swept."""
    storage.sweep()
    return S3Face(
        storage,
        account=settings.account,
        region=settings.region,
        book=None if settings.insecure_no_auth else book,
        hosts=hosts,
    )
