"""A running service: server, controller, store and S3 joined for one home directory."""

import asyncio
import logging
import sqlite3
import ssl
import threading
import time
import uuid
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from sagestone.compose.endpoint import HomeLock, remove_endpoint, write_endpoint
from sagestone.compose.home_version import stamp_home
from sagestone.compose.parts import ServiceParts, build_parts
from sagestone.compose.runtimes import CannotStart, runtime_sentence
from sagestone.compose.stores import home_word
from sagestone.compose.tls import tls_context
from sagestone.s3.storage.index import NewerIndex
from sagestone.settings import Settings
from sagestone.store.interface import StoreUnavailable
from sagestone.store.migrations import NewerDatabase

_LOG = logging.getLogger("sagestone.service")


class AlreadyRunning(Exception):
    """Another process is the service of this home."""


class Service:
    """The service of one home. Make one with `start`; `stop` leaves running jobs alone."""

    def __init__(self, settings: Settings, lock: HomeLock, parts: ServiceParts) -> None:
        self._settings = settings
        self._lock = lock
        self._parts = parts
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="server", daemon=True)
        self.endpoint = ""
        self.inside = ""  # where jobs and commands of this machine reach it

    @classmethod
    def start(cls, settings: Settings, any_port: bool = False) -> "Service":
        """Start everything and return when requests are answered.

        `any_port` takes a free port instead of the settings'. Raises AlreadyRunning or CannotStart with what to do.
        """
        _make_home(settings.home)
        lock = HomeLock(settings.home)
        if not lock.take():
            raise AlreadyRunning(f"a service for {settings.home} runs already: stop it, or choose another --home")
        remove_endpoint(settings.home)  # of a service that was killed
        try:
            stamp_home(settings.home)
            tls = tls_context(settings)
            holder = f"{home_word(settings.home)}.{uuid.uuid4().hex}"
            service = cls(settings, lock, build_parts(settings, holder=holder))
            service._listen(0 if any_port else settings.port, tls)
        except (StoreUnavailable, NewerDatabase, NewerIndex) as error:
            lock.release()
            raise CannotStart(str(error)) from error
        except (sqlite3.Error, OSError) as error:
            lock.release()
            raise CannotStart(f"the state in {settings.home} cannot be used: {error}") from error
        except BaseException:
            lock.release()
            raise
        return service

    @property
    def runtime_sentence(self) -> str:
        """Which runtime runs the containers, for people."""
        return runtime_sentence(self._parts.runtime_part, self._parts.runtime)

    @property
    def s3_sentence(self) -> str:
        """Where objects are kept, for people."""
        return self._settings.s3_endpoint or f"the embedded S3 ({self._settings.home / 's3'})"

    @property
    def broken(self) -> str:
        """Why the service can no longer do its work; empty as long as it can."""
        return "" if self._thread.is_alive() else "the server thread has ended; see the log above"

    def stop(self) -> None:
        """Answer what is under way, stop the controller, close everything; idempotent."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._parts.server.stop(), self._loop).result(timeout=30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
        self._parts.cleaning.stop()
        self._parts.tenants.stop(timeout=10)
        self._parts.close()
        remove_endpoint(self._settings.home)
        self._lock.release()

    def _listen(self, port: int, tls: ssl.SSLContext | None) -> None:
        began = time.monotonic()
        self._thread.start()
        try:
            bound = self._await(self._parts.server.start(self._settings.host, port, tls))
            self.endpoint = f"{'http' if tls is None else 'https'}://{_in_url(self._settings.known_host)}:{bound}"
            self.inside = self._listen_inside() if tls or not self._hears_itself() else f"http://127.0.0.1:{bound}"
        except OSError as error:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            self._parts.close()
            reason = error.strerror or str(error)
            raise CannotStart(
                f"cannot listen on {self._settings.host}:{port}: {reason}; choose another --listen"
            ) from error
        self._parts.tenants.start()
        self._parts.cleaning.start()
        write_endpoint(self._settings.home, self.endpoint, self.inside, self._parts.runtime_part)
        self._parts.nursery.make_ready()
        _LOG.info("listening on %s after %.2f s", self.endpoint, time.monotonic() - began)

    def _hears_itself(self) -> bool:
        """Whether 127.0.0.1 leads to where it listens."""
        return self._settings.host in ("127.0.0.1", "localhost", "0.0.0.0")

    def _listen_inside(self) -> str:
        """On the port that it had before, if that is free: jobs that run know it."""
        remembered = self._settings.home / "inside-port"
        known = remembered.read_text().strip() if remembered.exists() else ""
        try:
            port = self._await(self._parts.server.start_inside(int(known) if known.isdigit() else 0))
        except OSError:
            port = self._await(self._parts.server.start_inside(0))
        remembered.write_text(f"{port}\n")
        return f"http://127.0.0.1:{port}"

    def _await(self, work: Coroutine[Any, Any, int]) -> int:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        for task in (left := asyncio.all_tasks(self._loop)):  # aiohttp lingers on bodies that nobody wanted
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))
        self._loop.close()


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _make_home(home: Path) -> None:
    """The home directory belongs to its owner alone: it holds keys, data and models."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CannotStart(f"the home directory {home} cannot be made: {error.strerror}") from error
