"""A private network between sandboxes: a bridge in a network namespace of its own, held open by a small process.

Nothing leads from there to the host. A plain user has it too: the holder's user namespace owns the bridge, and every
container of the network lives in that one. Addresses come from the host names: algo-1 is 10.133.0.1. Names resolve
through one hosts file that all members share and that grows as they join.
"""

import fcntl
import json
import os
import re
import secrets
import select
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sagestone.archive.remove import remove_tree
from sagestone.containers.fresh import fresh_directory, sweep
from sagestone.containers.runtime import NameTaken, RuntimeFailure
from sagestone.containers.sandbox.launch import launch
from sagestone.containers.sandbox.record import open_process

_PREFIX = 16
_MOST = 65_000
_KILL_MILLISECONDS = 10_000
_HOSTS = "127.0.0.1\tlocalhost\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A host's place in a network."""

    holder: int  # the process whose namespaces are the network
    address: str  # with prefix length
    port: str  # name of its port on the bridge
    hosts: Path  # the file that all members share


class Networks:
    """The networks below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(directory)

    def create(self, name: str, labels: Mapping[str, str]) -> None:
        """Raises NameTaken, or RuntimeFailure when the kernel makes no bridges for us."""
        with fresh_directory(self._directory) as fresh:
            (fresh / "network.json").write_text(json.dumps({"labels": dict(labels)}))
            (fresh / "hosts").write_text(_HOSTS)
            (fresh / "hosts").chmod(0o644)
            try:
                fresh.rename(self._directory / name)
            except OSError as error:
                raise NameTaken(f"a network called {name} exists already") from error
        try:
            with self._locked(name) as hosts:
                if not self._holder_runs(name):
                    self._hold(name, hosts)
        except RuntimeFailure:
            self.remove(name)
            raise

    def join(self, name: str, hostname: str) -> Membership:
        """A place for that host, the same whenever it is asked for; raises RuntimeFailure."""
        place = self._directory / name
        try:
            with self._locked(name) as hosts:
                lines = (line.partition("\t") for line in hosts.read().splitlines())
                members = {name: address for address, _, name in lines}
                if hostname not in members:
                    members[hostname] = _address(hostname, set(members.values()))
                    hosts.write(f"{members[hostname]}\t{hostname}\n")
                if not self._holder_runs(name):
                    self._hold(name, hosts)  # after a restart of the machine
        except FileNotFoundError as error:
            raise RuntimeFailure(f"there is no network {name}") from error
        address = members[hostname]
        port = f"port{int(address.split('.')[2]) * 256 + int(address.split('.')[3])}"
        return Membership(
            holder=self._holder(name)[0], address=f"{address}/{_PREFIX}", port=port, hosts=place / "hosts"
        )

    def remove(self, name: str) -> None:
        """Idempotent: the holder's end takes the bridge with it."""
        place = self._directory / name
        if not place.exists():
            return
        holder = self._open_holder(name)
        if holder is not None:
            signal.pidfd_send_signal(holder, signal.SIGKILL)
            poll = select.poll()
            poll.register(holder, select.POLLIN)
            poll.poll(_KILL_MILLISECONDS)
            os.close(holder)
        gone = self._directory / f".gone-{secrets.token_hex(8)}"
        try:
            place.rename(gone)
        except FileNotFoundError:
            return  # somebody else removed it
        remove_tree(gone)

    def find(self, labels: Mapping[str, str]) -> Iterator[str]:
        """Names of networks that have all these labels."""
        sweep(self._directory)
        for entry in sorted(self._directory.iterdir()):
            try:
                has = json.loads((entry / "network.json").read_text())["labels"]
            except (FileNotFoundError, NotADirectoryError):
                continue
            if not entry.name.startswith(".") and labels.items() <= has.items():
                yield entry.name

    @contextmanager
    def _locked(self, name: str) -> Iterator[IO[str]]:
        """The file of hosts, alone with the network: a holder that is being started has the lock too, whoever dies."""
        with (self._directory / name / "hosts").open("r+") as hosts:
            fcntl.flock(hosts, fcntl.LOCK_EX)
            yield hosts

    def _hold(self, name: str, hosts: IO[str]) -> None:
        lock = hosts.fileno()
        hosts.flush()
        answer = launch("switch", f"{lock} {self._directory / name}".encode(), [lock])
        if answer != b"started":
            raise RuntimeFailure(f"network {name} cannot be made: {answer.decode(errors='replace')}")

    def _holder_runs(self, name: str) -> bool:
        holder = self._open_holder(name)
        if holder is not None:
            os.close(holder)
        return holder is not None

    def _open_holder(self, name: str) -> int | None:
        try:
            return open_process(*self._holder(name))
        except FileNotFoundError:
            return None

    def _holder(self, name: str) -> tuple[int, str, str]:
        pid, started, boot = (self._directory / name / "holder").read_text().split()
        return int(pid), started, boot


def _address(hostname: str, taken: set[str]) -> str:
    """By the number at the name's end, or the next free one."""
    number = re.search(r"([0-9]{1,5})$", hostname)
    wanted = [int(number[1])] if number and 0 < int(number[1]) <= _MOST else []
    for candidate in [*wanted, *range(1, _MOST)]:
        address = f"10.133.{candidate // 256}.{candidate % 256}"
        if address not in taken:
            return address
    raise RuntimeFailure("the network has no address left")
