"""The operations without a server: requests are checked by the service model, answers against botocore's shapes."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import botocore.session
import orjson
from botocore.validate import ParamValidator

from sagestone.containers.runtime import ImageNotFound
from sagestone.domain.describe.algorithm import describe_algorithm
from sagestone.domain.names import Deployment
from sagestone.job_logs.reader import LogReader
from sagestone.kms.key_store import KeyStore
from sagestone.kms.vault import Vault
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.key_ids import KnownKeys
from sagestone.operations.table import operations
from sagestone.s3.client import S3, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage.storage import open_storage
from sagestone.s3.uri import S3Uri
from sagestone.shapes.check import RequestCheck
from sagestone.shapes.own_model import OWN_MODEL
from sagestone.shapes.service_model import load_service_model
from sagestone.shapes.violation import summary
from sagestone.store.sqlite_database import open_sqlite
from sagestone.wire.call import Call, Caller
from sagestone.wire.credentials import CredentialBook, Credentials
from sagestone.wire.errors import ValidationException
from tests.unit.requests import DIGEST

DEPLOYMENT = Deployment(partition="aws", region="us-east-1", account="123456789012")
_MODELS = {
    "sagemaker": "sagemaker",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "sts": "sts",
    "iam": "iam",
    "kms": "kms",
}  # botocore's names
CHECKS = {name: RequestCheck(load_service_model(model)) for name, model in _MODELS.items()}
CHECKS["sagestone"] = RequestCheck(OWN_MODEL)
MODELS = {name: botocore.session.get_session().get_service_model(model) for name, model in _MODELS.items()}

#: Members that the model calls required and that the service leaves out of some answers.
LEFT_OUT = {"DescribeModelPackage": {"ModelPackageName": "of-no-version"}}

KEYS = Credentials(access_key="KEY", secret_key="secret", account=DEPLOYMENT.account)


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What the image lookup of these tests answers."""

    digest: str


@dataclass
class Served:
    """Operations over a real store in a temporary directory; `images` is what the runtime knows."""

    directory: Path
    images: dict[str, str] = field(default_factory=lambda: {"trees:1": DIGEST})
    now: float = 1_700_000_000.0
    hints: int = 0

    def __post_init__(self) -> None:
        self.store = open_sqlite(self.directory / "state.db", lambda found: orjson.dumps(describe_algorithm(found)))
        self.logs = self.directory / "logs"
        self.vault = Vault(KeyStore(self.directory / "kms", bytes(32)), DEPLOYMENT, lambda: self.now)
        self.vault.add_managed_keys()
        storage = open_storage(self.directory / "s3")
        storage.buckets.create("data", DEPLOYMENT.region, self.now)
        storage.close()
        self.s3: S3 = EmbeddedS3(self.directory / "s3")
        numbers = count(1)
        self.dependencies = Dependencies(
            store=self.store,
            deployment=DEPLOYMENT,
            clock=lambda: self.now,
            new_id=lambda: f"{next(numbers):08x}",
            image=self._image,
            hint=self._hint,
            logs=LogReader(self.logs),
            book=CredentialBook([KEYS]),
            s3=self.s3,
            vault=self.vault,
            keys=KnownKeys(vault=self.vault),
        )
        self.table = operations(lambda account: self.dependencies)

    def call(self, operation: str, parameters: Mapping[str, Any], service: str = "sagemaker") -> dict[str, Any]:
        """The answer as a client would parse it; raises ServiceError as the wire would send it."""
        clean, violations = CHECKS[service].check(operation, dict(parameters))
        if violations:
            raise ValidationException(summary(violations))
        caller = Caller(account=DEPLOYMENT.account, access_key="KEY", region=DEPLOYMENT.region)
        call = Call(service=service, operation=operation, parameters=clean, caller=caller, request_id="1")
        answer = self.table[(service, operation)].function(call)
        document: dict[str, Any] = orjson.loads(
            answer if isinstance(answer, bytes) else orjson.dumps(answer or {}, default=_blob)
        )
        check_answer(service, operation, document)
        return document

    def sagemaker(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.call(operation, parameters)

    def put(self, uri: str, body: bytes = b"") -> str:
        """Put an object into the store; its URI."""
        write_all(self.s3, S3Uri.parse(uri), [body])
        return uri

    def _image(self, reference: str) -> KnownImage:
        if reference not in self.images:
            raise ImageNotFound(reference)
        return KnownImage(self.images[reference])

    def _hint(self) -> None:
        self.hints += 1


def _blob(value: Any) -> str:
    assert isinstance(value, bytes)
    return b64encode(value).decode()


def check_answer(service: str, operation: str, answer: Mapping[str, Any]) -> None:
    """Fails unless the answer satisfies botocore's output shape, member by member."""
    shape = MODELS[service].operation_model(operation).output_shape if service in MODELS else None
    if shape is None:
        assert answer == {}
        return
    report = ParamValidator().validate({**LEFT_OUT.get(operation, {}), **answer}, shape)
    assert not report.has_errors(), report.generate_report()
