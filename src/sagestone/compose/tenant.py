"""What one account has of its own in a service: its store, its controller, the jobs on this machine, its logs."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagestone.agent.build import build_s3
from sagestone.agent.parts import KeysPart, Parts, RuntimePart, S3Part, ServicePart
from sagestone.compose.keys import open_keys
from sagestone.compose.stores import open_store
from sagestone.compose.watched_images import WatchedImages
from sagestone.containers.labels import home_id
from sagestone.containers.runtime import Runtime
from sagestone.control.controller import Controller
from sagestone.domain.assign import Patience
from sagestone.domain.instance import instance_facts
from sagestone.domain.names import Deployment
from sagestone.job_logs.reader import LogReader
from sagestone.operations.dependencies import Cleaned, Dependencies
from sagestone.operations.file_systems import configured_file_systems
from sagestone.operations.kms.key_ids import KnownKeys
from sagestone.placement.ledger import Books
from sagestone.placement.local import LocalPlacement
from sagestone.placement.nursery import Nursery
from sagestone.settings import Settings
from sagestone.store.interface import Store
from sagestone.volumes.probe import complaint
from sagestone.wire.credentials import CredentialBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all accounts of a service share; `holder` is the service's name on leases."""

    settings: Settings
    holder: str
    book: CredentialBook
    runtime_part: RuntimePart
    runtime: Runtime
    books: Books
    nursery: Nursery
    images: WatchedImages
    clean: Callable[[bool], Sequence[Cleaned]]  # the home; a dry run?


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """The parts of one account; `account` is "" for the home's own."""

    account: str
    dependencies: Dependencies
    placement: LocalPlacement
    controller: Controller
    store: Store


def directory_of(home: Path, account: str) -> Path:
    """Where an account keeps what is its own: the home itself, or a directory below it."""
    return home / "accounts" / account if account else home


def open_tenant(shared: Shared, account: str) -> Tenant:
    """Build the parts of an account; its controller is not started yet."""
    settings, book = shared.settings, shared.book
    directory = directory_of(settings.home, account)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = account or settings.account
    deployment = Deployment(partition=settings.partition, region=settings.region, account=number)
    vault, keys = open_keys(settings, deployment)
    store = open_store(settings, directory, number)
    logs = directory / "logs"
    logs.mkdir(exist_ok=True)
    logs.chmod(0o700)  # what jobs wrote is their owner's, though the home may have been left open
    s3_part = _s3_part(settings, account, keys)
    file_systems = {} if account else configured_file_systems(settings)  # they are the home's own account's alone
    placement = LocalPlacement(
        jobs_directory=directory / "jobs",
        runtime=shared.runtime,
        parts=Parts(
            runtime=shared.runtime_part,
            s3=s3_part,
            logs_directory=str(logs),
            file_systems=tuple(file_systems.values()),
            volume_keys=keys,
            service=ServicePart(
                endpoint_file=str(settings.home / "service.json"),
                seal_key=book.seal_key("container credentials"),
                account=account,
                s3_endpoint=settings.s3_endpoint,
            ),
        ),
        capacity=shared.books.capacity,
        catalogue=instance_facts,
        home=home_id(str(directory)),
        shared_memory_bytes=settings.shared_memory_mb * 1024 * 1024,
        books=shared.books,
        nursery=shared.nursery,
        account=number,
    )
    controller = Controller(
        store,
        placement,
        holder=shared.holder,
        region=settings.region,
        patience=Patience(
            training_stop_seconds=settings.training_stop_seconds,
            transform_stop_seconds=settings.transform_stop_seconds,
            ping_patience_seconds=settings.ping_patience_seconds,
        ),
    )
    placement.ledger.watch(controller.hint, controller.give_way)
    dependencies = Dependencies(
        store=store,
        deployment=deployment,
        clock=time.time,
        new_id=lambda: uuid.uuid4().hex[:8],
        image=shared.images.find,
        images_at_hand=shared.runtime.images_at_hand,
        hint=controller.hint,
        logs=LogReader(logs),
        book=book,
        s3=build_s3(s3_part, patience_seconds=0.0),  # an answer to a request does not wait for it
        file_systems=file_systems,
        vault=vault,
        keys=KnownKeys(vault=vault, objects_elsewhere=bool(settings.s3_endpoint), no_volumes=complaint),
        machine=None if account else placement,  # others use it too
        clean=None if account else shared.clean,
    )
    return Tenant(account=account, dependencies=dependencies, placement=placement, controller=controller, store=store)


def _s3_part(settings: Settings, account: str, keys: KeysPart) -> S3Part:
    """How agents reach S3: the files of the embedded store's buckets that are the account's, or another endpoint."""
    if not settings.s3_endpoint:
        return S3Part(kind="embedded", directory=str(settings.home / "s3"), owner=account, keys=keys)
    return S3Part(
        kind="remote",
        endpoint_url=settings.s3_endpoint,
        region=settings.s3_region or settings.region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )
