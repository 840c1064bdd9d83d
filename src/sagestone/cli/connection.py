"""How a command reaches a service: the one that runs for this home, or one of its own for as long as it lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sagestone.cli.exits import UNAVAILABLE, leave
from sagestone.compose.endpoint import running_endpoint
from sagestone.compose.service import AlreadyRunning, Service
from sagestone.settings import Settings
from sagestone.wire.credentials import CredentialBook


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

            credentials = CredentialBook.open(self.settings.home, self.settings.account).default
            self._session = boto3.Session(
                aws_access_key_id=credentials.access_key,
                aws_secret_access_key=credentials.secret_key,
                region_name=self.settings.region,
            )
        return self._session.client(service, endpoint_url=self.endpoint)


def connect(settings: Settings) -> Connection:
    """The service that runs for this home; leaves with exit code 3 when none does."""
    endpoint = running_endpoint(settings)
    if endpoint is None:
        leave(UNAVAILABLE, f"no service runs for {settings.home}: start one with `sagestone up`")
    return Connection(settings, endpoint)


@contextmanager
def connect_or_start(settings: Settings) -> Iterator[tuple[Connection, Service | None]]:
    """The running service, or a new one that stops when the command ends (then it is the second value)."""
    endpoint = running_endpoint(settings)
    if endpoint is not None:
        yield Connection(settings, endpoint), None
        return
    try:
        service = Service.start(settings, any_port=True)
    except AlreadyRunning as error:
        leave(UNAVAILABLE, str(error))
    try:
        yield Connection(settings, service.endpoint), service
    finally:
        service.stop()
