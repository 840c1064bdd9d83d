"""Who may see metrics and reasons: only the networks that the settings name."""

import ipaddress
import json
from collections.abc import Sequence

import pytest

from sagestone.server.monitoring_face import MonitoringFace, Network
from tests.contract.toy_service import toy_service


def _face(*networks: str) -> MonitoringFace:
    known: Sequence[Network] = [ipaddress.ip_network(each) for each in networks]
    return MonitoringFace(networks=known, metrics=lambda: b"a 1\n", readiness=lambda: ["store: it is full"])


@pytest.mark.parametrize(
    ("networks", "trusted"),
    [(("127.0.0.0/8",), True), (("::1/128", "127.0.0.1/32"), True), (("10.0.0.0/8",), False), ((), False)],
)
def test_only_the_named_networks_see_more_than_yes_or_no(networks: tuple[str, ...], trusted: bool) -> None:
    with toy_service(monitoring=_face(*networks)) as served:
        status, body, _ = served.send("GET", "/metrics")
        assert (status, body) == (200, b"a 1\n") if trusted else status == 403
        status, body, _ = served.send("GET", "/readyz")
        reasons = {"reasons": ["store: it is full"]} if trusted else {}
        assert (status, json.loads(body)) == (503, {"status": "not ready", **reasons})
        assert served.send("HEAD", "/readyz")[:2] == (503, b"")
        assert served.send("GET", "/healthz")[0] == 200
