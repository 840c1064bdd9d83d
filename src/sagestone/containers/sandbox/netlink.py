"""The few messages of Linux's rtnetlink that a private network needs: bridge, pair of ports, address, up.

Written by hand because a sandbox waits for it: the library that speaks all of rtnetlink takes longer to import than a
container to run. Source: rtnetlink(7), <linux/if_link.h>.
"""

import os
import socket
import struct

_NEWLINK, _NEWADDR = 16, 20
_REQUEST, _ACK, _EXCLUSIVE, _CREATE = 1, 4, 0x200, 0x400
_ERROR = 2
_UP = 1

_IFNAME, _MASTER, _LINKINFO, _NET_NS_FD = 3, 10, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_ADDRESS, _LOCAL = 1, 2


class Links:
    """The network interfaces of the namespace in which this was made, wherever it is used from."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.bind((0, 0))
        self._sequence = 0
        # names are looked up by this kind of socket, in its own namespace
        self._lookup = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def close(self) -> None:
        self._socket.close()
        self._lookup.close()

    def add_bridge(self, name: str) -> None:
        """Raises OSError."""
        info = _attribute(_INFO_KIND, b"bridge")
        self._ask(_NEWLINK, _EXCLUSIVE | _CREATE, _link(0, _UP) + _name(name) + _attribute(_LINKINFO, info))

    def add_port(self, name: str, bridge: str, peer: str, peer_namespace: int) -> None:
        """A pair of ports: one here in the bridge, the other in the namespace of that descriptor. Raises OSError."""
        other = _link(0, 0) + _name(peer) + _attribute(_NET_NS_FD, struct.pack("i", peer_namespace))
        info = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, _attribute(_VETH_PEER, other))
        body = _link(0, _UP) + _name(name) + _attribute(_MASTER, struct.pack("I", self._index(bridge)))
        self._ask(_NEWLINK, _EXCLUSIVE | _CREATE, body + _attribute(_LINKINFO, info))

    def add_address(self, name: str, address: str, prefix: int) -> None:
        """Raises OSError."""
        packed = socket.inet_aton(address)
        head = struct.pack("BBBBI", socket.AF_INET, prefix, 0, 0, self._index(name))
        self._ask(_NEWADDR, _EXCLUSIVE | _CREATE, head + _attribute(_LOCAL, packed) + _attribute(_ADDRESS, packed))

    def up(self, name: str) -> None:
        """Raises OSError."""
        self._ask(_NEWLINK, 0, _link(self._index(name), _UP))

    def _index(self, name: str) -> int:
        import fcntl

        answer = fcntl.ioctl(self._lookup, 0x8933, struct.pack("16s16x", name.encode()))  # SIOCGIFINDEX
        return int(struct.unpack("16si12x", answer)[1])

    def _ask(self, kind: int, flags: int, body: bytes) -> None:
        self._sequence += 1
        header = struct.pack("IHHII", 16 + len(body), kind, flags | _REQUEST | _ACK, self._sequence, 0)
        self._socket.send(header + body)
        answer = self._socket.recv(65536)
        answered, number = struct.unpack_from("H", answer, 4)[0], struct.unpack_from("i", answer, 16)[0]
        if answered == _ERROR and number:
            raise OSError(-number, f"netlink message {kind}: {os.strerror(-number)}")


def _link(index: int, flags: int) -> bytes:
    return struct.pack("BxHiII", 0, 0, index, flags, flags)


def _name(name: str) -> bytes:
    return _attribute(_IFNAME, name.encode() + b"\0")


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("HH", length, kind) + value + bytes(-length % 4)
