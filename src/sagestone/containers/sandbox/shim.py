"""The process beside each sandbox: starts it, carries its output into files, and writes down how it ended.

It is no child of the service and goes on when that ends; when it is killed itself, the kernel kills the container. It
stands in the container's network (and, for a plain user, in the user namespace that owns it), so it can hand out
sockets that reach the container's ports, whoever asks. Imports little: a container waits for it.
"""

import errno
import os
import resource
import select
import socket
import sys
import warnings  # noqa: F401  os.execvpe imports it, when the files of this machine are out of sight already

from sagestone.containers.sandbox.filter import filter_calls
from sagestone.containers.sandbox.orders import Orders
from sagestone.containers.sandbox.output import Output
from sagestone.containers.sandbox.program import NotStarted, execute, refuse_our_own
from sagestone.containers.sandbox.root import NoOverlay, enter_root
from sagestone.containers.sandbox.system import (
    KEPT_CAPABILITIES,
    NEW_CGROUP,
    NEW_IPC,
    NEW_NET,
    NEW_NS,
    NEW_PID,
    NEW_USER,
    NEW_UTS,
    default_signals,
    die_with_parent,
    renounce_capabilities,
    renounce_privileges,
    set_host_name,
    setns,
    unshare,
)
from sagestone.containers.sandbox.user import User, find_user

#: Files in a container's directory, see `sandbox_record`.
SHIM, CHILD, EXIT, CONTROL = "shim", "child", "exit.json", "control"
STARTED, FAILED, NO_OVERLAY = b"started", b"failed ", b"no-overlay "
_RESERVED, _RESERVED_BYTES = ".room", 128
BRIDGE = "sandbox0"


def main() -> None:
    """Read orders from standard input, report on standard output once, then stay until the container has ended."""
    orders = Orders.load(sys.stdin.buffer.read())
    os.set_inheritable(orders.lock, False)
    if os.fork():
        os._exit(0)  # whoever started us need not wait for us: our parent is the system's first process now
    report = os.dup(1)
    for descriptor in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), descriptor)
    try:
        shim = _Shim(orders)
    except NoOverlay as error:
        _take_back(orders, report, NO_OVERLAY + str(error).encode())
        return
    except Exception as error:  # noqa: BLE001  told to whoever started us
        _take_back(orders, report, FAILED + _text(error).encode())
        return
    _tell(report, STARTED)
    os.close(report)
    os.close(orders.lock)
    shim.run()


def _take_back(orders: Orders, report: int, why: bytes) -> None:
    """Make it a container that was never started, as long as we live: nobody shall take it for one that ended.

    Should whoever started us have died, the next to start it learns the reason anew.
    """
    for name in (CONTROL, SHIM):
        try:
            os.unlink(f"{orders.directory}/{name}")  # noqa: PTH108
        except FileNotFoundError:
            pass
    _tell(report, why)


def _tell(report: int, text: bytes) -> None:
    try:
        os.write(report, text)
    except BrokenPipeError:
        pass  # whoever started us has died meanwhile; the container is found again


class _Shim:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        os.chdir(orders.directory)
        for name in (EXIT, CHILD):
            _reserve(name)
        _write(SHIM, f"{os.getpid()} {start_time(os.getpid())} {boot_id()}")
        _enter_namespaces(orders)
        self._control = _listen()
        unshare(NEW_PID)
        outputs = [os.pipe(), os.pipe()]
        self._output = Output((outputs[0][0], outputs[1][0]), orders.kept_output)  # may fail: not with a program there
        errors, error_end = os.pipe()
        life, life_end = os.pipe()  # open as long as we live
        self._child = os.fork()
        if not self._child:
            os.close(life_end)
            _become_container(orders, outputs[0][1], outputs[1][1], error_end, life)
        for descriptor in (outputs[0][1], outputs[1][1], error_end, life):
            os.close(descriptor)
        _write_reserved(CHILD, f"{self._child} {start_time(self._child)} {boot_id()}")
        failure = b""
        while part := os.read(errors, 4096):  # ends when the program has taken over, which closes the other end
            failure += part
        if failure:
            os.waitpid(self._child, 0)
            raise (NoOverlay if failure.startswith(NO_OVERLAY) else NotStarted)(failure.decode().partition(" ")[2])

    def run(self) -> None:
        """Carry output and answer until the container is gone and its output is delivered; then write down its end."""
        ended, output = os.pidfd_open(self._child), self._output
        poll = select.poll()
        output.register(poll)
        for descriptor in (ended, self._control.fileno()):
            poll.register(descriptor, select.POLLIN)
        running = True
        while running or output.open:
            for descriptor, _ in poll.poll(output.pace(poll, running=running)):
                if descriptor in output:
                    output.carry(descriptor, poll)
                elif descriptor == ended:
                    poll.unregister(ended)
                    running = False
                else:
                    self._answer()
        _, status = os.waitpid(self._child, 0)
        code = os.waitstatus_to_exitcode(status)
        out_of_memory = code != 0 and _oom_kills(self._orders.oom_file) > 0
        _write_reserved(
            EXIT,
            f'{{"code": {code if code >= 0 else 128 - code}, "out_of_memory": {"true" if out_of_memory else "false"}}}',
        )
        os.unlink(CONTROL)  # noqa: PTH108

    def _answer(self) -> None:
        """One request a connection: a socket in the program's network."""
        try:
            connection, _ = self._control.accept()
            with connection:
                connection.settimeout(5)
                request = connection.recv(64)
                if request == b"socket":
                    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as inside:
                        socket.send_fds(connection, [b"ok"], [inside.fileno()])
        except OSError:
            return  # whoever asked went away


def boot_id() -> str:
    """Which start of this machine it is: process ids begin anew with each."""
    with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123
        return file.read().strip()


def start_time(pid: int) -> str:
    """When that process started, in the kernel's ticks: tells it from a later one with its number."""
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return file.read().rpartition(")")[2].split()[19]


def map_user(inside: int, outside: int, inside_group: int, outside_group: int) -> None:
    """Be this one user and group in the user namespace just entered; others do not exist in it."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {outside} 1"),
        ("gid_map", f"{inside_group} {outside_group} 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY | os.O_CLOEXEC)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def _enter_namespaces(orders: Orders) -> None:
    from sagestone.containers.sandbox.netlink import Links

    user, group = os.geteuid(), os.getegid()
    if orders.network is None:
        if orders.plain_user:
            unshare(NEW_USER)
            map_user(0, user, 0, group)
        if orders.outward:
            return  # this machine's network is the container's
        unshare(NEW_NET)
        links = Links()
    else:
        holder, address, port = orders.network
        owner = os.open(f"/proc/{holder}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        network = os.open(f"/proc/{holder}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if orders.plain_user:
            setns(owner, NEW_USER)
        setns(network, NEW_NET)
        switch = Links()
        unshare(NEW_NET)
        links = Links()
        here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        switch.add_port(port, BRIDGE, "eth0", here)
        number, _, prefix = address.partition("/")
        links.add_address("eth0", number, int(prefix))
        links.up("eth0")
        switch.close()
    links.up("lo")
    links.close()


def _become_container(orders: Orders, out: int, err: int, error_end: int, life: int) -> None:
    """In the child: never returns. What goes wrong is written to `error_end`."""
    try:
        for file in orders.cgroup_files:
            descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
            os.write(descriptor, b"0")
            os.close(descriptor)
        os.umask(0o022)
        unshare(NEW_NS | NEW_IPC | NEW_UTS)
        if orders.cgroup_files:
            unshare(NEW_CGROUP)
        set_host_name(orders.hostname)
        enter_root(orders)
        user = find_user(orders.user, _lines("/etc/passwd"), _lines("/etc/group"))
        os.makedirs(os.path.realpath(orders.workdir), 0o755, exist_ok=True)  # noqa: PTH103
        os.chdir(orders.workdir)
        for source, target in ((os.open("/dev/null", os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(source, target)
            if target:
                os.fchmod(target, 0o666)  # /dev/stdout is opened anew by programs, also by other users than root
        environment = {"HOME": user.home, **orders.environment}
        refuse_our_own(orders.arguments[0], environment)
        _become_user(user, plain_user=orders.plain_user)
        die_with_parent()
        if select.select([life], [], [], 0)[0]:
            os._exit(137)  # the shim went before we could follow it
        if orders.processes:
            resource.setrlimit(resource.RLIMIT_NPROC, (orders.processes, orders.processes))
        default_signals()
        filter_calls()
        execute(orders.arguments, environment)
    except NoOverlay as error:
        os.write(error_end, NO_OVERLAY + str(error).encode())
    except BaseException as error:  # noqa: BLE001  told to whoever started us
        os.write(error_end, FAILED + _text(error).encode())
    finally:
        os._exit(127)


def _become_user(user: User, *, plain_user: bool) -> None:
    renounce_privileges()
    if not plain_user:
        os.setgroups(user.groups)
        renounce_capabilities(KEPT_CAPABILITIES)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
        return
    if user.uid or user.gid:
        # a plain user has one number to give away: everything in the image is this user's then
        unshare(NEW_USER)
        map_user(user.uid, 0, user.gid, 0)
    renounce_capabilities(KEPT_CAPABILITIES)


def _listen() -> socket.socket:
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.bind(CONTROL)
    control.listen(64)
    return control


def _oom_kills(file: str) -> int:
    if not file:
        return 0
    try:
        with open(file) as opened:  # noqa: PTH123
            counts = dict(line.split() for line in opened)
    except (OSError, ValueError):
        return 0
    return int(counts.get("oom_kill", 0))


def _lines(file: str) -> "list[str]":
    try:
        with open(file, errors="surrogateescape") as opened:  # noqa: PTH123
            return opened.read(1 << 20).split("\n")
    except OSError:
        return []


def _create(name: str) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def _write(name: str, text: str) -> None:
    """Whole or not at all."""
    descriptor = _create(name + ".new")
    written = os.write(descriptor, text.encode())
    os.close(descriptor)
    if written < len(text.encode()):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.rename(name + ".new", name)  # noqa: PTH104


def _reserve(name: str) -> None:
    """Have room for a short file that must be written when the disk may be full."""
    _write(name + _RESERVED, " " * _RESERVED_BYTES)


def _write_reserved(name: str, text: str) -> None:
    """Whole or not at all, into the room that was reserved."""
    descriptor = os.open(name + _RESERVED, os.O_WRONLY | os.O_CLOEXEC)
    os.write(descriptor, text.encode().ljust(_RESERVED_BYTES))
    os.close(descriptor)
    os.rename(name + _RESERVED, name)  # noqa: PTH104


def _text(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror}{f' ({error.filename})' if error.filename else ''}"
    return str(error) or type(error).__name__
