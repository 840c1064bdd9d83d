"""The real parts of a service, made from its settings."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from sagestone.agent.parts import RuntimePart
from sagestone.compose.cleaner import CleanedHome, Cleaner
from sagestone.compose.cleaning import Cleaning
from sagestone.compose.exposition import Exposition
from sagestone.compose.keys import open_keys
from sagestone.compose.metric_sources import Sources
from sagestone.compose.open_files import more_open_files
from sagestone.compose.readiness import Readiness, service_checks
from sagestone.compose.runtimes import choose_runtime
from sagestone.compose.tenant import Shared
from sagestone.compose.tenants import Tenants
from sagestone.compose.watched_images import WatchedImages
from sagestone.containers.machine import machine
from sagestone.containers.runtime import Runtime
from sagestone.domain.names import Deployment
from sagestone.domain.retention import Rules
from sagestone.operations.container_credentials import container_credentials
from sagestone.operations.table import operations
from sagestone.placement.capacity import Capacity
from sagestone.placement.ledger import Books
from sagestone.placement.nursery import Nursery
from sagestone.s3.storage.storage import Storage, open_storage
from sagestone.s3_server.face import S3Face
from sagestone.server.monitoring_face import MonitoringFace
from sagestone.server.server import Server
from sagestone.server.traffic import Traffic
from sagestone.settings import Settings
from sagestone.shapes.own_model import OWN_MODEL
from sagestone.shapes.service_model import load_service_model
from sagestone.wire.credentials import CredentialBook


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceParts:
    """What a service is made of; started by `Service`, closed by `close`."""

    server: Server
    tenants: Tenants
    cleaning: Cleaning
    nursery: Nursery
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
        self.tenants.close()
        self.nursery.close()


def build_parts(settings: Settings, holder: str) -> ServiceParts:
    """Build everything for one service; `holder` is its name on leases. Raises CannotStart."""
    home = settings.home
    book = CredentialBook.open(home, settings.account)
    with ThreadPoolExecutor(1) as beside:  # to look for a runtime is to wait for other processes
        chosen = beside.submit(choose_runtime, settings)
        models = [*(load_service_model(name) for name in ("sagemaker", "logs", "cloudwatch", "kms")), OWN_MODEL]
        query_models = [load_service_model(name) for name in ("sts", "iam")]
        runtime_part, runtime = chosen.result()
    capacity = Capacity.of(machine(), cpus=settings.cpus, memory_gb=settings.memory_gb, runtime=runtime.name)
    files = more_open_files()
    nursery = Nursery(os.environ, open_files=files.before)
    images = WatchedImages(runtime.image)
    shared = Shared(
        settings=settings,
        holder=holder,
        book=book,
        runtime_part=runtime_part,
        runtime=runtime,
        books=Books(capacity),
        nursery=nursery,
        images=images,
        clean=lambda dry_run: cleaner.clean(dry_run),
    )
    tenants = Tenants(shared)
    deployment = Deployment(partition=settings.partition, region=settings.region, account=settings.account)
    vault, _ = open_keys(settings, deployment)
    storage = None if settings.s3_endpoint else open_storage(home / "s3", vault)
    hosts = tuple(dict.fromkeys(("localhost", settings.host, settings.known_host)))
    cleaned = CleanedHome(
        home=home, tenants=tenants.all, accounts=tenants.words, storage=storage, runtime=runtime, images=images
    )
    cleaner = Cleaner(cleaned, retention_rules(settings), time.time)
    s3 = _s3_face(settings, storage, book, hosts) if storage is not None else None
    traffic = Traffic()
    readiness = Readiness(
        service_checks(
            tenants=tenants.all,
            holder=holder,
            runtime=runtime,
            storage=storage,
        )
    )
    sources = Sources(
        home=home,
        traffic=traffic,
        tenants=tenants.all,
        books=shared.books,
        storage=storage,
        runtime=runtime.name,
    )
    server = Server(
        operations=operations(tenants.dependencies),
        models=models,
        query_models=query_models,
        s3=s3,
        book=book,
        container_credentials=partial(container_credentials, tenants.dependencies),
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
        reads_on_loop=not settings.database,
        most_descriptors=files.for_connections,
    )
    return ServiceParts(
        server=server,
        tenants=tenants,
        cleaning=Cleaning(cleaner),
        nursery=nursery,
        s3=s3,
        storage=storage,
        runtime=runtime,
        runtime_part=runtime_part,
    )


def retention_rules(settings: Settings) -> Rules:
    """How long things are kept."""
    return Rules(
        logs_days=settings.retention_logs_days,
        logs_gb=settings.retention_logs_gb,
        images_days=settings.retention_images_days,
        uploads_days=settings.retention_uploads_days,
        cache_days=settings.retention_cache_days,
    )


def _s3_face(settings: Settings, storage: Storage, book: CredentialBook, hosts: tuple[str, ...]) -> S3Face:
    """The embedded store's HTTP face, after what dead writers left was swept."""
    storage.sweep()
    return S3Face(
        storage,
        account=settings.account,
        region=settings.region,
        partition=settings.partition,
        book=None if settings.insecure_no_auth else book,
        hosts=hosts,
    )
