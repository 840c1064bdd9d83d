"""A real PostgreSQL for tests: a server of their own in a directory that is gone afterwards, started when asked for.

Debian package: postgresql. `SAGESTONE_TEST_ENGINES=postgres` makes a missing one a failure.
"""

import getpass
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sagestone.store.interface import StoreUnavailable
from sagestone.store.postgres.address import Address, read_address
from sagestone.store.postgres.session import Session
from tests.engines import required_engines

_VARIABLE = "SAGESTONE_TEST_POSTGRES"  # told to processes that tests start
_USERS = ("postgres", "nobody")
_lock = threading.Lock()
_shared: "PostgresServer | None" = None


class PostgresServer:
    """One server, reached by a Unix socket in its directory."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="sagestone-postgres-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(self._directory, _user())
        data, programs = self._directory / "data", _programs()
        assert programs is not None
        make = [str(programs / "initdb"), "-D", str(data), "-U", "sagestone", "-A", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(_as_plain_user([*make, "--locale=C.UTF-8"]), check=True, stdout=subprocess.DEVNULL, cwd="/")
        self._command = [
            *(str(programs / "postgres"), "-D", str(data), "-k", str(self._directory)),
            *("-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=32MB"),
        ]
        self.start()

    @property
    def url(self) -> str:
        """Of its one database, as the setting `database` takes it."""
        return f"postgresql://sagestone@localhost/postgres?host={self._directory}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def address(self) -> Address:
        return read_address(self.url)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _as_plain_user(self._command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                Session(self.address, "public").close()
                return
            except StoreUnavailable:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log_text = (self._directory / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start:\n{log_text[-4000:]}") from None
                time.sleep(0.05)

    def stop(self, *, at_once: bool = False) -> None:
        """End it: its clients are cut off; `at_once` without putting anything in order, as when the machine dies."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
        self._process.wait(timeout=60)

    def remove(self) -> None:
        """End it, and leave nothing."""
        if self._process is not None and self._process.poll() is None:
            self.stop(at_once=True)
        shutil.rmtree(self._directory)


def missing_postgres_reason() -> str | None:
    """Why this machine cannot run PostgreSQL for tests; None when it can."""
    if _programs() is None:
        return "PostgreSQL tests need initdb and postgres: apt-get install postgresql"
    return None


def postgres_url() -> str:
    """The url of the session's server, which is started now if nobody asked before."""
    global _shared
    if _VARIABLE in os.environ:
        return os.environ[_VARIABLE]
    with _lock:
        if _shared is None:
            _shared = PostgresServer()
            os.environ[_VARIABLE] = _shared.url
    return _shared.url


def end_postgres() -> None:
    """For `pytest_unconfigure`: end the server that this process started."""
    global _shared
    if _shared is not None:
        _shared.remove()
        os.environ.pop(_VARIABLE, None)
        _shared = None


def schema_for(place: Path) -> str:
    """A schema that stands for a directory."""
    return "t_" + hashlib.sha256(str(place).encode()).hexdigest()[:24]


def deselect_missing_postgres(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For `pytest_collection_modifyitems`: leave out what needs it where there is none, unless it is asked for."""
    reason = missing_postgres_reason()
    if reason is None:
        return
    if "postgres" in required_engines():
        raise pytest.UsageError(f"SAGESTONE_TEST_ENGINES asks for postgres, but {reason}")
    concerned = [item for item in items if item.get_closest_marker("postgres")]
    items[:] = [item for item in items if item not in concerned]
    config.hook.pytest_deselected(items=concerned)


def report_missing_postgres(terminal: pytest.TerminalReporter) -> None:
    """For `pytest_terminal_summary`: one plain line where there is none."""
    reason = missing_postgres_reason()
    if reason is not None:
        terminal.write_line(f"NOT TESTED: postgres: {reason}", yellow=True)


def _programs() -> Path | None:
    """Where the newest installed version has its programs; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *([Path(found).resolve().parent] if found else [])]
    usable = [place for place in places if (place / "initdb").exists() and (place / "postgres").exists()]
    return max(usable, key=lambda place: place.parent.name.zfill(4), default=None)


def _user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(user for user in (*_USERS, getpass.getuser()) if user in known)


def _as_plain_user(command: Sequence[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return list(command)
    entry = pwd.getpwnam(_user())
    become = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--pdeathsig", "INT"]
    return ["setpriv", *become, *command]
