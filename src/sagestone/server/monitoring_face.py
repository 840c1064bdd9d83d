"""What who watches a service asks, unsigned: whether it lives, whether it can work, and its metrics."""

import asyncio
import ipaddress
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp import web

from sagestone.version import VERSION

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ALIVE_PATHS: Final = ("/healthz", "/health")
READY_PATH: Final = "/readyz"
METRICS_PATH: Final = "/metrics"
PATHS: Final = frozenset({*ALIVE_PATHS, READY_PATH, METRICS_PATH})

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MonitoringFace:
    """`metrics` gives Prometheus' text, `readiness` why the service cannot work now (empty: it can); both may wait.

    Who asks from outside `networks` learns whether the service lives and is ready, nothing else. So does who asks
    through a proxy: its address says nothing of theirs.
    """

    def __init__(
        self,
        *,
        networks: Sequence[Network],
        metrics: Callable[[], bytes] | None = None,
        readiness: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        self._networks = networks
        self._metrics = metrics
        self._readiness = readiness
        # one thread: who asks often waits for who asked before, not the operations for them
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="monitoring")

    async def answer(self, request: web.BaseRequest, path: str) -> web.Response:
        """The answer for one of PATHS."""
        if path in ALIVE_PATHS:
            return _document({"status": "ok", "service": "sagestone", "version": VERSION})
        trusted = self._trusts(request)
        loop = asyncio.get_running_loop()
        if path == READY_PATH:
            complaints = await loop.run_in_executor(self._thread, self._readiness)
            facts: dict[str, object] = {"status": "not ready" if complaints else "ready"}
            return _document(facts | ({"reasons": list(complaints)} if trusted else {}), 503 if complaints else 200)
        if not trusted or self._metrics is None:
            text = "Metrics are shown to the networks in the setting monitoring_from only, and not through a proxy.\n"
            return web.Response(status=403, text=text)
        content = await loop.run_in_executor(self._thread, self._metrics)
        return web.Response(body=content, headers={"Content-Type": _METRICS_TYPE})

    def close(self) -> None:
        """Answer no more; idempotent."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _trusts(self, request: web.BaseRequest) -> bool:
        if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
            return False
        try:
            address = ipaddress.ip_address((request.remote or "").partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _document(facts: Mapping[str, object], status: int = 200) -> web.Response:
    return web.Response(status=status, text=json.dumps(facts), content_type="application/json")
