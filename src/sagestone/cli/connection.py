"""How a command reaches a service: the one that runs for this home, or one of its own for as long as it lasts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sagestone.cli.exits import UNAVAILABLE, leave
from sagestone.cli.identity import keys_in_use
from sagestone.compose.endpoint import inside_endpoint
from sagestone.settings import Settings
from sagestone.shapes.own_model import SERVICE, TARGET_PREFIX

if TYPE_CHECKING:
    from sagestone.compose.service import Service


class Refused(Exception):
    """The service did not do what was asked; the text is its own."""


class Connection:
    """boto3 clients of one service. boto3 is imported when the first is asked for: it takes half a second."""

    def __init__(self, settings: Settings, endpoint: str) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self._session: Any = None

    def client(self, service: str) -> Any:
        """A plain boto3 client with the endpoint, region and keys that `sagestone env` prints."""
        if self._session is None:
            import boto3

            credentials = keys_in_use(self.settings)
            self._session = boto3.Session(
                aws_access_key_id=credentials.access_key,
                aws_secret_access_key=credentials.secret_key,
                region_name=self.settings.region,
            )
        if service == "s3" and self.settings.s3_endpoint:
            return self._configured_s3()
        return self._session.client(service, endpoint_url=self.endpoint)

    def ask_sagestone(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation of the service itself, which boto3 does not know; its answer. Raises Refused."""
        import json
        import urllib.error
        import urllib.request

        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        keys = keys_in_use(self.settings)
        headers = {"X-Amz-Target": f"{TARGET_PREFIX}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        signed = AWSRequest("POST", f"{self.endpoint}/", headers=headers, data=json.dumps(parameters).encode())
        SigV4Auth(Credentials(keys.access_key, keys.secret_key), SERVICE, self.settings.region).add_auth(signed)
        request = urllib.request.Request(signed.url, data=signed.data, headers=dict(signed.headers), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found: dict[str, Any] = json.loads(answer.read() or b"{}")
                return found
        except urllib.error.HTTPError as refusal:
            raise Refused(str(json.loads(refusal.read()).get("message", refusal))) from None

    def _configured_s3(self) -> Any:
        """The S3 endpoint that the settings name, with its own keys."""
        settings = self.settings
        return self._session.client(
            "s3",
            endpoint_url=settings.s3_endpoint,
            region_name=settings.s3_region or settings.region,
            aws_access_key_id=settings.s3_access_key,
            aws_secret_access_key=settings.s3_secret_key,
        )


def connect(settings: Settings) -> Connection:
    """The service that runs for this home; leaves with exit code 3 when none does."""
    endpoint = inside_endpoint(settings)
    if endpoint is None:
        leave(UNAVAILABLE, f"no service runs for {settings.home}: start one with `sagestone up`")
    return Connection(settings, endpoint)


@contextmanager
def connect_or_start(settings: Settings) -> Iterator[tuple[Connection, "Service | None"]]:
    """The running service, or a new one that stops when the command ends (then it is the second value)."""
    endpoint = inside_endpoint(settings)
    if endpoint is not None:
        yield Connection(settings, endpoint), None
        return
    from sagestone.compose.service import Service  # half a second of modules, for who needs them

    service = Service.start(settings, any_port=True)
    try:
        yield Connection(settings, service.inside), service
    finally:
        service.stop()
